# Values between Ruby and the wire form of workflow/values.py.

# Loaded where there is one, which is seldom.
autoload :Set, "set"

module ProActive
  TAG = "$type".freeze
  MAX_DEPTH = 100

  class NotPortableValue < StandardError
    def initialize(path, value, reason, remedy)
      super("#{path} (#{value.class}) cannot travel between tasks: #{reason}; #{remedy}")
    end
  end

  # JRuby lets scripts write Java's getTaskId as get_task_id and task_id.
  module JavaNames
    def method_missing(name, *arguments, &block)
      java = JavaNames.spelled(name).find { |candidate| candidate != name && respond_to?(candidate) }
      java ? public_send(java, *arguments, &block) : super
    end

    def respond_to_missing?(name, all = false)
      JavaNames.spelled(name).any? { |candidate| candidate != name && self.class.method_defined?(candidate) } || super
    end

    def self.spelled(name)
      camel = name.to_s.gsub(/_(\w)/) { Regexp.last_match(1).upcase }
      [camel.to_sym, :"get#{camel[0].upcase}#{camel[1..-1]}"]
    end
  end

  # A hash with the methods of a Java map.
  class JavaMap < Hash
    include JavaNames

    def get(key)
      self[key]
    end

    def put(key, value)
      old = self[key]
      self[key] = value
      old
    end

    def remove(key)
      delete(key)
    end

    def putAll(other)
      other.each { |key, value| self[key] = value }
    end

    def containsKey(key)
      key?(key)
    end

    def isEmpty
      empty?
    end

    def keySet
      keys
    end
  end

  # What Java's toString gives.
  def self.java_text(value)
    case value
    when nil then "null"
    when Array, Set then "[#{value.map { |item| java_text(item) }.join(', ')}]"
    when Hash then "{#{value.map { |key, item| "#{java_text(key)}=#{java_text(item)}" }.join(', ')}}"
    else value.to_s
    end
  end

  module Wire
    # A value of another language that Ruby has no form for.
    class Opaque
      attr_reader :wire

      def initialize(wire)
        @wire = wire
      end

      def to_s
        @wire["value"]
      end
      alias inspect to_s
    end

    module_function

    def value(wire)
      case wire
      when Array then wire.map { |item| value(item) }
      when Hash then wire.key?(TAG) ? tagged(wire) : map(wire)
      else wire
      end
    end

    def map(wire)
      wire.each_with_object(JavaMap.new) { |(key, item), found| found[key] = value(item) }
    end

    def tagged(wire)
      inner = wire["value"]
      case wire[TAG]
      when "bytes" then inner.unpack1("m0")
      when "float" then real(inner)
      when "decimal" then decimal(inner)
      when "set" then Set.new(value(inner))
      when "dict" then inner.each_with_object(JavaMap.new) { |(key, item), found| found[value(key)] = value(item) }
      else Opaque.new(wire)
      end
    end

    def real(text)
      { "inf" => Float::INFINITY, "-inf" => -Float::INFINITY, "Infinity" => Float::INFINITY,
        "-Infinity" => -Float::INFINITY, "nan" => Float::NAN, "NaN" => Float::NAN }.fetch(text) { Float(text) }
    end

    def decimal(text)
      require "bigdecimal"
      BigDecimal(text)
    end

    def of(value, path, around = [])
      case value
      when nil, true, false then value
      when Integer then whole(value)
      when Float then value.finite? ? value : { TAG => "float", "value" => value.to_s }
      when String, Symbol then text(value.to_s, path)
      when Opaque, TaskResult then value.wire
      when Array, Hash, Range, Set then container(value, path, around)
      else other(value, path)
      end
    end

    def whole(value)
      value.bit_length < 64 ? value : { TAG => "decimal", "value" => value.to_s }
    end

    def text(value, path)
      if value.encoding == Encoding::ASCII_8BIT
        return { TAG => "bytes", "value" => [value].pack("m0") }
      end
      known = value.encode(Encoding::UTF_8)
      return known if known.valid_encoding?

      raise NotPortableValue.new(path, value, "it is not valid #{value.encoding}", "use .b for its bytes, or .scrub")
    rescue EncodingError => error
      raise NotPortableValue.new(path, value, error.message, "use .b for its bytes, or .scrub")
    end

    def container(value, path, around)
      if around.any? { |outer| outer.equal?(value) }
        raise NotPortableValue.new(path, value, "it contains itself", "take the cycle out")
      end
      if around.size >= MAX_DEPTH
        raise NotPortableValue.new(path, value, "it lies more than #{MAX_DEPTH} levels deep", "flatten it")
      end
      inside = around + [value]
      case value
      when Hash then hash(value, path, inside)
      when Array, Range then list(value, path, inside)
      else { TAG => "set", "value" => list(value, path, inside) }
      end
    end

    def list(value, path, around)
      value.each_with_index.map { |item, index| of(item, "#{path}[#{index}]", around) }
    rescue TypeError => error # a range without steps
      raise NotPortableValue.new(path, value, error.message, "use a list")
    end

    def hash(value, path, around)
      pairs = value.map do |key, item|
        inner = "#{path}[#{shown(key)}]"
        [of(key, inner, around), of(item, inner, around)]
      end
      return pairs.to_h if pairs.all? { |key, _| key.is_a?(String) && key != TAG }

      { TAG => "dict", "value" => pairs }
    end

    def shown(key)
      text = key.is_a?(String) ? "'#{key}'" : key.inspect
      text.size <= 40 ? text : "#{text[0, 39]}…"
    end

    def other(value, path)
      return { TAG => "decimal", "value" => value.to_s("F") } if value.class.name == "BigDecimal" && value.finite?

      remedy = { "Time" => "use .iso8601", "Date" => "use .iso8601", "DateTime" => "use .iso8601",
                 "Rational" => "use .to_f", "Struct" => "use .to_h" }
      known = value.class.ancestors.map(&:name).find { |name| remedy.key?(name) }
      raise NotPortableValue.new(path, value, "no such class has a form in the other languages",
                                 remedy.fetch(known, "build it of nil, booleans, numbers, strings, arrays and hashes"))
    end
  end
end
