# The variables of a Ruby script: variables, results, progress and so on.

module ProActive
  # The task, or one of its parents, failed.
  class TaskFailed < StandardError
  end

  # $variables and $resultMap: knows what the script put, changed in place and removed.
  class Variables < JavaMap
    def self.of(name, wires)
      map = new
      map.fill(name, wires)
      map
    end

    def fill(name, wires)
      @name = name
      @put = {}
      wires.each { |key, wire| store_quietly(key, Wire.value(wire)) }
      @before = to_h { |key, value| [key, Wire.of(value, name)] }
    end

    alias store_quietly []=

    def []=(key, value)
      key = key.to_s if key.is_a?(Symbol)
      raise TypeError, "a key of #{@name} is a text, not #{key.inspect}" unless key.is_a?(String)

      Wire.of(value, "#{@name}['#{key}']")
      @put[key] = true
      super
    end
    alias store []=

    def [](key)
      super(key.is_a?(Symbol) ? key.to_s : key)
    end

    def changed
      each_with_object({}) do |(key, value), found|
        wire = Wire.of(value, "#{@name}['#{key}']")
        found[key] = wire if @put[key] || !@before.key?(key) || !@before[key].eql?(wire)
      end
    end

    def removed
      @before.keys - keys
    end
  end

  # One entry of $results.
  class TaskResult
    include JavaNames

    TaskId = Struct.new(:value, :getReadableName, :to_s)

    def initialize(parent, job)
      @parent = parent
      @job = job
    end

    def value
      raise getException if hadException

      Wire.value(@parent["value"])
    end
    alias getValue value

    # What a script that hands on the entry itself hands on: the value, or the text of the failure.
    def wire
      hadException ? to_s : @parent["value"]
    end

    def hadException
      !@parent["failure"].nil?
    end

    def getException
      failure = @parent["failure"]
      failure && TaskFailed.new("task #{@parent['taskName']} failed: #{failure['text']}")
    end

    def getMetadata
      Wire.map(@parent["metadata"])
    end

    def getTaskId
      TaskId.new(@parent["taskId"].to_s, @parent["taskName"], "#{@job}t#{@parent['taskId']}")
    end

    def to_s
      failure = @parent["failure"]
      return failure["text"].split.join(" ") if failure

      found = Wire.value(@parent["value"])
      found.nil? ? "Result not available" : ProActive.java_text(found)
    end
  end

  class Progress
    def initialize(path)
      @path = path
    end

    def set(percent)
      raise ArgumentError, "progress goes from 0 to 100, not #{percent}" unless percent.between?(0, 100)

      File.write(@path, percent.to_i.to_s)
    end

    def get
      File.read(@path).to_i
    rescue SystemCallError
      0
    end
  end

  # Stands where a ProActive server has a Java client.
  class Absent < BasicObject
    def initialize(name)
      @name = name
    end

    def method_missing(*)
      channels = %w[synchronizationapi signalapi].include?(@name)
      ::Kernel.raise "#{@name} is not in Ruby scripts of the embedded scheduler; write the script in Groovy or Python" if channels
      ::Kernel.raise "#{@name} is a Java client of a ProActive server; the embedded scheduler has none"
    end
  end

  # $forkEnvironment: how the task's process will be started. What only a Java machine knows is kept, unused.
  class ForkEnvironment
    include JavaNames

    attr_reader :report

    def initialize(start)
      @report = {
        "workingDir" => start["workingDir"] || "",
        "systemEnvironment" => (start["systemEnvironment"] || {}).dup,
        "preJavaCommand" => (start["preJavaCommand"] || []).dup,
        "jvmArguments" => (start["jvmArguments"] || []).dup
      }
      @java_home = start["javaHome"] || ""
      @classpath = (start["classpath"] || []).dup
    end

    def setWorkingDir(path)
      @report["workingDir"] = path.to_s
    end

    def getWorkingDir
      @report["workingDir"]
    end

    def addSystemEnvironmentVariable(name, value)
      @report["systemEnvironment"][name.to_s] = value.to_s
    end

    def getSystemEnvironmentVariable(name)
      @report["systemEnvironment"][name.to_s]
    end

    def getSystemEnvironment
      @report["systemEnvironment"].dup
    end

    def setPreJavaCommand(words)
      @report["preJavaCommand"] = words.map(&:to_s)
    end

    def addPreJavaCommand(word)
      @report["preJavaCommand"] << word.to_s
    end

    def getPreJavaCommand
      @report["preJavaCommand"].dup
    end

    def setJavaHome(path)
      @java_home = path.to_s
    end

    def getJavaHome
      @java_home
    end

    def addJVMArgument(argument)
      @report["jvmArguments"] << argument.to_s
    end

    def getJVMArguments
      @report["jvmArguments"].dup
    end

    def addAdditionalClasspath(*paths)
      @classpath.concat(paths.map(&:to_s))
    end

    def getAdditionalClasspath
      @classpath.dup
    end

    def setDockerWindowsToLinux(_wanted); end

    def isDockerWindowsToLinux
      false
    end

    def convertToLinuxPath(path)
      path.to_s
    end
    define_singleton_method(:convertToLinuxPath, &:to_s)
  end
end
