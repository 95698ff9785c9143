#!lua flags=allow-oom
-- ARGV job, then for each of its documents (<= 64): unit, fence, outcome, measured cost ms,
--      members of the event and of the document as JSON objects
-- Returns counted | already | lost for each document
--
-- Documents that end together share the reading and writing of their job; each has its event.

local ARGV, WIDTH = ARGV, 6
local id, units = ARGV[1], list()
for i = 2, #ARGV, WIDTH do
  if not OUTCOMES[ARGV[i + 2]] then return misuse('no such outcome') end
  units[#units + 1] = ARGV[i]
end
local job = open_job(id)
local stored = job and redis.call('HMGET', key('lease', id), unpack(units)) or {}

-- First whose leases are held, all with a few commands, then their events.
local held, ended_units, expiries, answers, replies = list(), list(), list(), list(), list()
local settled, charged, cost = {}, 0, 0
for n, unit in ipairs(units) do
  local i = 2 + (n - 1) * WIDTH
  local fence, lease = ARGV[i + 1], parse_lease(unit, stored[n])
  if settled[fence] then
    replies[n] = 'already'
  elseif not is_held(lease, fence) then
    replies[n] = not_held(id, fence)
  else
    local at = #held + 1
    settled[fence], replies[n] = true, 'counted'
    held[at], ended_units[at], lease.at = lease, unit, i
    expiries[at], answers[at] = id .. ':' .. unit, fence .. ' counted'
    charged, cost = charged + lease.charged, cost + tonumber(ARGV[i + 3])
  end
end
if #held == 0 then return replies end

redis.call('HDEL', key('lease', id), unpack(ended_units))
redis.call('ZREM', P .. 'exp', unpack(expiries))
keep_answers(job, answers)
charge(job, charged, cost, #held)
local known = note_ended(job, ended_units)
for n, lease in ipairs(held) do
  local i, outcome = lease.at, ARGV[lease.at + 2]
  let_go(job, lease)
  if known[n] == 0 then count(job, lease, outcome, ARGV[i + 4], ARGV[i + 5]) end
  if outcome == 'failed' then enforce_budget(job) end
end
place(job)
save(job)
return replies
