#!lua flags=no-writes
-- Returns worker, host, version, slots, ms since its last sign of life for each living worker

local workers = {}
local alive = redis.call('ZRANGEBYSCORE', P .. 'workers', '(' .. NOW, '+inf', 'LIMIT', 0, 1000)
for _, worker in ipairs(alive) do
  local stored = redis.call('HMGET', key('w', worker), 'host', 'version', 'slots', 'seen')
  if stored[1] then
    workers[#workers + 1] =
      { worker, stored[1], stored[2], stored[3], math.max(0, NOW - tonumber(stored[4])) }
  end
end
return workers
