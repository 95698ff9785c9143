#!lua flags=allow-oom
-- ARGV job, then for each of its documents (<= 64): unit, fence, outcome, measured cost ms,
--      members of the event and of the document as JSON objects
-- Returns counted | already | lost for each document
--
-- Documents that end together share the reading and writing of their job; each has its event.

local id, WIDTH = ARGV[1], 6
local units = {}
for i = 2, #ARGV, WIDTH do
  if not OUTCOMES[ARGV[i + 2]] then return misuse('no such outcome') end
  units[#units + 1] = ARGV[i]
end
local job = open_job(id)
local stored = job and redis.call('HMGET', key('lease', id), unpack(units)) or {}

local counted, expiries, answers = {}, {}, {}
local settled, charged, cost = {}, 0, 0
local function complete(lease, fence, outcome, cost_ms, fields, document)
  if settled[fence] then return 'already' end
  if not is_held(lease, fence) then return not_held(id, fence) end
  settled[fence] = true
  counted[#counted + 1] = lease.unit
  expiries[#expiries + 1] = id .. ':' .. lease.unit
  answers[#answers + 1] = fence .. ' counted'
  let_go(job, lease)
  charged, cost = charged + lease.charged, cost + tonumber(cost_ms)
  count(job, lease, outcome, fields, document)
  if outcome == 'failed' then enforce_budget(job) end
  return 'counted'
end

local replies = {}
for n, unit in ipairs(units) do
  local i = 2 + (n - 1) * WIDTH
  replies[n] = complete(parse_lease(unit, stored[n]), ARGV[i + 1], ARGV[i + 2], ARGV[i + 3],
    ARGV[i + 4], ARGV[i + 5])
end
if #counted > 0 then
  redis.call('HDEL', key('lease', id), unpack(counted))
  redis.call('ZREM', P .. 'exp', unpack(expiries))
  charge(job, charged, cost, #counted)
  place(job)
  save(job)
  keep_answers(job, answers)
end
return replies
