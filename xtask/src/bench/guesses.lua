-- Guesses of passwords, each of another name and from another address, so that none is refused for being one too many.
local thread

function setup(one)
  thread = one
end

function init()
  math.randomseed(4711)
  checked = 0
end

function request()
  local number = math.random(16777216) - 1
  local address = string.format("10.%d.%d.%d", number / 65536, number / 256 % 256, number % 256)
  local headers = { ["Content-Type"] = "application/json", ["X-Forwarded-For"] = address }
  local body = string.format('{"identifier":"user%d","password":"a wrong guess"}', number)
  return wrk.format("POST", "/api/tokens", headers, body)
end

function response(status)
  if status == 401 then
    checked = checked + 1
  end
end

function done(summary)
  io.write(string.format('\n{"checked":%d,"duration":%d}\n', thread:get("checked"), summary.duration))
end
