result = "hello " + args[0]
