#!lua flags=allow-oom
-- ARGV worker, lease ms, host, version, slots, then job, unit, fence for each lease (<= 64)
-- Returns held | paused | cancelled | lost for each lease

local lease_ms = tonumber(ARGV[2])
see_worker(ARGV[1], nil, lease_ms, ARGV[3], ARGV[4], ARGV[5])

local known = {}
local function standing(id)
  if not known[id] then
    local stored = redis.call('HMGET', key('job', id), 'state', 'ending')
    if not stored[1] then
      known[id] = 'lost'
    elseif stored[2] ~= '' then
      known[id] = 'cancelled'
    else
      known[id] = stored[1] == 'paused' and 'paused' or 'held'
    end
  end
  return known[id]
end

local replies = {}
for i = 6, #ARGV, 3 do
  local id, unit, fence = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local lease = lease_of(id, unit)
  if is_held(lease, fence) then
    redis.call('ZADD', P .. 'exp', NOW + lease_ms, id .. ':' .. unit)
    -- The finishing unit of a cancelled job is what ends it.
    replies[#replies + 1] = unit == FINISH and 'held' or standing(id)
  else
    replies[#replies + 1] = 'lost'
  end
end
return replies
