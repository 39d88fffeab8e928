-- Asks at random what the lines above list; appended to them by workload.rs.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("place", threads)
end

local function prepare(entry)
  local headers = { ["Authorization"] = token }
  local body
  if entry[3] ~= "" then
    headers["Content-Type"] = "application/json"
    body = entry[3]
  end
  for name, value in pairs(wrk.headers) do
    headers[name] = value
  end
  local text = wrk.format(entry[1], entry[2], headers, body)
  local from, to = text:find("########", 1, true)
  if from then
    return { text:sub(1, from - 1), text:sub(to + 1) }
  end
  return text
end

function init()
  math.randomseed(4711 + place)
  number = 0
  for _, group in ipairs(groups) do
    local list = group[2]
    for index = 1, #list do
      list[index] = prepare(list[index])
    end
  end
end

function request()
  local group = groups[1]
  if #groups > 1 then
    local random = math.random(100)
    for _, one in ipairs(groups) do
      group = one
      random = random - one[1]
      if random <= 0 then
        break
      end
    end
  end
  local list = group[2]
  local text = list[math.random(#list)]
  if type(text) == "table" then
    number = number + 1
    return text[1] .. string.format("%08d", place * 10000000 + number) .. text[2]
  end
  return text
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"duration":%d,"errors":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
