#!lua flags=allow-oom
-- ARGV job, 1 when this is the only server that anybody can listen to (no Cluster), then for each of
--      its documents (<= 64): unit, fence, outcome, measured cost ms, members of the event and of
--      the document as JSON objects
-- Returns counted | already | lost for each document
--
-- Documents that end together share the reading and writing of their job; each has its event. No
-- document is named twice.

local FIRST, WIDTH = 3, 6
local id, units = ARGV[1], list()
for i = FIRST, #ARGV, WIDTH do
  if not OUTCOMES[ARGV[i + 2]] then return misuse('no such outcome') end
  units[#units + 1] = ARGV[i]
end
local job = open_job(id)
local stored = job and redis.call('HMGET', key('lease', id), unpack(units)) or {}

-- Leases of documents that a worker took for the first time differ in their fences only: `lease` is
-- the last one that was parsed, `rest` what followed its fence.
local lease, rest
local function held_lease(text, fence)
  if not text then return nil end
  if not rest or text ~= fence .. rest then
    lease = parse_lease(text)
    rest = string.sub(text, #lease.fence + 1)
    if not is_held(lease, fence) then
      rest = nil
      return nil
    end
  end
  return lease
end

-- First whose leases are held, all with a few commands, then their events.
local leases, ended_units, places, replies = list(), list(), list(), list()
local expiries, fences, charged, cost = list(), list(), 0, 0
local held = 0
for n, unit in ipairs(units) do
  local i = FIRST + (n - 1) * WIDTH
  local fence = ARGV[i + 1]
  local lease = held_lease(stored[n], fence)
  if lease then
    held = held + 1
    replies[n], leases[held], ended_units[held], places[held] = 'counted', lease, unit, i
    expiries[held], fences[held] = id .. ':' .. unit, fence
    charged, cost = charged + lease.charged, cost + tonumber(ARGV[i + 3])
  else
    replies[n] = not_held(id, fence)
  end
end
if held == 0 then return replies end

redis.call('HDEL', key('lease', id), unpack(ended_units))
redis.call('ZREM', P .. 'exp', unpack(expiries))
keep_answer(job, 'counted', table.concat(fences, '|'))
charge(job, charged, cost, held)
add(job, 'inflight', -held)
-- Asking whether anybody listens costs as much as telling two events.
job.is_unheard = held > 2 and ARGV[2] == '1' and not is_heard(job)
local known = note_ended(job, ended_units)
for n = 1, held do
  local i, lease = places[n], leases[n]
  give_back_stages(job, lease)
  if known[n] == 0 then
    count(job, ended_units[n], lease, ARGV[i + 2], ARGV[i + 4], ARGV[i + 5])
  end
  if ARGV[i + 2] == 'failed' then enforce_budget(job) end
end
place(job)
save(job)
return replies
