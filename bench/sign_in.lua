-- Sign-ins: username, right password, and whether every second one comes with a wrong password.
require("report")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local bodies, n = {}, 0

function init(args)
   local body = '{"username":"' .. args[1] .. '","password":"%s"}'
   bodies[1] = body:format(args[2])
   bodies[2] = args[3] == "mixed" and body:format("not the password") or bodies[1]
end

function request()
   n = n + 1
   return wrk.format(nil, nil, nil, bodies[n % 2 + 1])
end
