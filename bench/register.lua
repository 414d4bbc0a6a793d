-- Registrations, each under a name of its own; the first argument tells the runs apart.
require("report")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

local run, n = "", 0

function init(args)
   run = args[1]
end

function request()
   n = n + 1
   local password = "correct horse " .. n
   return wrk.format(nil, nil, nil, string.format(
      '{"username":"%s-%d-%d","password":"%s","confirm_password":"%s"}', run, number, n, password, password))
end
