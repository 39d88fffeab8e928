-- A filter that no index serves.
wrk.path = "/api/posts?body[contains]=nowhere"

function done(summary)
  io.write(string.format('\n{"requests":%d}\n', summary.requests))
end
