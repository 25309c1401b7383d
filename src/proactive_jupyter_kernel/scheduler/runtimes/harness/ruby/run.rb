# Runs a Ruby script of a task: `ruby run.rb FOLDER`, Ruby 2.5 or newer. Bindings are local variables of the script, as on a
# ProActive server, and global ones, as its documents say.
require "json"
require_relative "values"
require_relative "bindings"

module ProActive
  CLIENTS = %w[userspaceapi globalspaceapi schedulerapi rmapi synchronizationapi signalapi].freeze
  HERE = __dir__ + File::SEPARATOR
  LOCAL = /\A[a-z_]\w*\z/.freeze

  class << self
    def start(folder)
      @request = JSON.parse(File.read(File.join(folder, "request.json"), encoding: "UTF-8"), max_nesting: false)
      $stdout.sync = true
      bindings.each { |name, value| bind(name, value) }
      @assigned = {}
      @request["returns"].each { |name| trace_var(:"$#{name}") { @assigned[name] = true } }
      ARGV.replace(@request["args"])
      $PROGRAM_NAME = @request["label"]
      @request
    end

    # Run the script and write its report; returns the exit code of the process.
    def run
      code = File.read(@request["script"], encoding: "UTF-8")
      value = TOPLEVEL_BINDING.eval(code, @request["label"], 1)
      finish({}, value)
    rescue SystemExit => ended # as on a server: the task succeeds, whatever the code
      finish({}, ended.status)
    rescue Exception => error # whatever the script raised
      finish({ "error" => told(error) }, nil)
    end

    private

    def bindings
      found = {
        "variables" => Variables.of("variables", @request["variables"]),
        "genericInformation" => Wire.map(@request["genericInformation"]),
        "credentials" => Wire.map(@request["credentials"])
      }.merge(@request["spaces"], @request["node"])
      found["args"] = @request["args"] unless @request["args"].empty? # otherwise a server has no such name
      CLIENTS.each { |name| found[name] = Absent.new(name) }
      found.merge(optional)
    end

    def optional
      job = @request["variables"]["PA_JOB_ID"]
      {
        "results" => ->(parents) { parents.map { |parent| TaskResult.new(parent, job) } },
        "result" => ->(result) { result["failure"] ? failed(result["failure"]) : Wire.value(result["value"]) },
        "resultMetadata" => ->(found) { Wire.map(found) },
        "resultMap" => ->(found) { Variables.of("resultMap", found) },
        "nodesurl" => ->(found) { found },
        "allnodesurl" => ->(found) { found },
        "forkEnvironment" => ->(found) { ForkEnvironment.new(found) }
      }.reject { |name, _| @request[name].nil? }.to_h { |name, make| [name, make.call(@request[name])] }.merge(progress)
    end

    def failed(failure)
      TaskFailed.new(failure["text"])
    end

    def progress
      @request["progressFile"].empty? ? {} : { "progress" => Progress.new(@request["progressFile"]) }
    end

    # Names that Ruby allows: a space or node binding always has one.
    def bind(name, value)
      (@bound ||= {})[name] = value
      TOPLEVEL_BINDING.local_variable_set(name, value) if name.match?(LOCAL)
      eval("$#{name} = ProActive.bound(#{name.inspect})") if name.match?(/\A[A-Za-z_]\w*\z/)
    end

    public

    def bound(name)
      @bound[name]
    end

    private

    def told(error)
      error.set_backtrace((error.backtrace || []).reject { |frame| frame.start_with?(HERE) })
      bare = error.backtrace.nil? || error.backtrace.empty? # a syntax error: its message tells the line
      trace = bare ? "#{error.message} (#{error.class})" : error.full_message(highlight: false, order: :top).strip
      warn trace
      { "type" => error.class.name.to_s.sub(/\AProActive::/, ""), "message" => error.message, "trace" => trace }
    end

    def finish(report, value)
      code = report["exit"] || (report["error"] ? 1 : 0)
      begin
        collect(report, value)
      rescue NotPortableValue => error
        warn error.message
        code = 1 if code.zero?
        report = { "error" => { "type" => "", "message" => error.message, "trace" => error.message } }.merge(
          report.slice("error", "exit")
        )
      end
      write(report)
      code
    end

    def collect(report, value)
      variables = @bound["variables"]
      report["variablesSet"] = variables.changed
      report["variablesRemoved"] = variables.removed
      report["resultMap"] = @bound["resultMap"].changed if @bound["resultMap"]
      report["forkEnvironment"] = @bound["forkEnvironment"].report if @bound["forkEnvironment"]
      metadata = given("resultMetadata")
      if @request["resultMetadata"] && metadata.is_a?(Hash)
        report["resultMetadata"] = metadata.to_h { |key, text| [key.to_s, ProActive.java_text(text)] }
      end
      report["values"] = values(value) unless report["error"] || report["exit"]
    end

    def values(value)
      found = {}
      @request["returns"].each do |name|
        next unless set?(name)

        found[name] = Wire.of(given(name), name)
      end
      own = found.key?("result") || @request["stage"] != "main" ? nil : own_value(value)
      own.nil? ? found : found.merge("result" => own)
    end

    # A global that was only mentioned is nil, too, so assignments are watched.
    def set?(name)
      @assigned[name] || !given(name).nil?
    end

    # What the script left under that name: in the local variable or, where that is as it was, in the global one.
    def given(name)
      local = TOPLEVEL_BINDING.local_variable_get(name) if TOPLEVEL_BINDING.local_variable_defined?(name)
      return local unless local.nil? || local.equal?(@bound[name])

      eval("$#{name}")
    end

    def own_value(value)
      Wire.of(value, "result")
    rescue NotPortableValue
      nil # so the result is true
    end

    def write(report)
      half = "#{@request['report']}.part"
      File.write(half, JSON.generate(report, max_nesting: 0), encoding: "UTF-8")
      File.rename(half, @request["report"])
    end
  end
end

# Java has no place here, and scripts for JRuby that reach for it learn why.
module Java
  def self.refuse(name)
    raise "#{name} is of Java, and Ruby scripts of the embedded scheduler run without Java; " \
          "write this script in Groovy, or run the workflow on a ProActive server"
  end

  def self.method_missing(name, *)
    refuse("Java::#{name}")
  end

  def self.respond_to_missing?(*)
    true
  end

  def self.const_missing(name)
    refuse("Java::#{name}")
  end
end
%w[java javax org com].each { |name| define_method(name) { Java.refuse(name) } }
$LOADED_FEATURES << "java.rb"

ProActive.start(ARGV[0])
exit(ProActive.run)
