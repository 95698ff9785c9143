-- Leases.

-- Redis keeps a small sorted set as one block of memory and walks through it at every change, but
-- not when a member is longer than 64 bytes. This one stands in `exp` for ever.
local NO_LEASE = 'no lease, but a name of more than sixty-four bytes, which is what keeps a skip list'

-- The last fence given out, and the virtual time of the job served last.
local function read_marks()
  if not marks then
    local stored = redis.call('HMGET', P .. 'marks', 'fence', 'clock')
    marks = { fence = tonumber(stored[1]) or 0, clock = tonumber(stored[2]) or 0 }
  end
  return marks
end

-- Whoever changes them calls this last.
local function keep_marks()
  redis.call('HSET', P .. 'marks', 'fence', text(marks.fence), 'clock', text(marks.clock))
end

-- Fences of different shards differ: each shard takes the numbers that leave its own remainder.
local function next_fence()
  local marks = read_marks()
  if marks.has_issued then
    marks.fence = marks.fence + MOST_SHARDS
  else
    local fence = math.max(marks.fence + 1, NOW_US)
    marks.fence, marks.has_issued = fence + (SHARD - fence) % MOST_SHARDS, true
  end
  return marks.fence
end

-- The name of a history: after a loss of Redis fences are others, and so is the name (base 36).
local function epoch_of(fence)
  local digits = ''
  while fence > 0 do
    local digit = fence % 36
    digits = string.sub('0123456789abcdefghijklmnopqrstuvwxyz', digit + 1, digit + 1) .. digits
    fence = floor(fence / 36)
  end
  return digits
end

-- The end of a job's history was lost and clients have seen it: its numbers must not come again.
-- Leases that are older than the new history lost theirs in the same moment: one beginning is enough.
local function begin_history_anew(job)
  local born = next_fence()
  redis.call('UNLINK', key('ev', job.id))
  put(job, 'born', born)
  put(job, 'epoch', epoch_of(born))
  put(job, 'seq', 0)
  keep_marks()
end

local function parse_lease(stored)
  if not stored then return nil end
  local fence, worker, attempt, stage, n, charged, document =
    string.match(stored, '^(%d+)|([^|]*)|(%d+)|(%d+)|(%d+)|(%d+)|(.*)$')
  return { fence = fence, worker = worker, attempt = tonumber(attempt), stage = tonumber(stage),
    n = tonumber(n), charged = tonumber(charged), document = document }
end

local function lease_of(id, unit)
  local lease = parse_lease(redis.call('HGET', key('lease', id), unit))
  if lease then lease.unit = unit end
  return lease
end

local function lease_rest(worker, attempt, stage, n, charged, document)
  return table.concat({ '', worker, text(attempt), text(stage), text(n), text(charged), document },
    '|')
end

local function is_held(lease, fence)
  return lease and lease.fence == fence
end

-- The job and, if the caller still holds the unit, its lease.
local function hold(id, unit, fence)
  local job = open_job(id)
  local lease = job and lease_of(id, unit)
  return job, is_held(lease, fence) and lease or nil
end

-- What an earlier call with this fence was answered, or nil.
local function answered(id, fence)
  for _, entry in ipairs(redis.call('LRANGE', key('answer', id), 0, -1)) do
    if string.find(entry, '|' .. fence .. '|', 1, true) then return string.match(entry, '^[^|]*') end
  end
  return nil
end

-- Keeps what was answered to the calls with these fences ('|' between them).
local function keep_answer(job, answer, fences)
  local list = key('answer', job.id)
  if redis.call('LPUSH', list, answer .. '|' .. fences .. '|') > 2 * ANSWERS_KEPT then
    redis.call('LTRIM', list, 0, ANSWERS_KEPT - 1)
  end
  redis.call('PEXPIRE', list, ANSWERS_KEPT_MS)
end

local function answer(job, lease, reply)
  keep_answer(job, reply, lease.fence)
  return reply
end

-- The reply of a call whose lease is not held: a repetition or a loser.
local function not_held(id, fence)
  local reply = answered(id, fence) and 'already' or 'lost'
  tally(reply, 1)
  return reply
end

-- What a dropped lease had of the job's progress.
local function give_back_stages(job, lease)
  if lease.stage > 0 then add(job, 'partial', -lease.stage * STAGE_PERCENT) end
end

local function drop(job, lease)
  redis.call('HDEL', key('lease', job.id), lease.unit)
  redis.call('ZREM', P .. 'exp', job.id .. ':' .. lease.unit)
  add(job, 'inflight', -1)
  give_back_stages(job, lease)
end

local function attempts(id, unit)
  local stored = redis.call('HGET', key('att', id), unit)
  if not stored then return 0, 0 end
  local errors, crashes = string.match(stored, '^(%d+)|(%d+)$')
  return tonumber(errors), tonumber(crashes)
end

local function set_attempts(id, unit, errors, crashes)
  redis.call('HSET', key('att', id), unit, errors .. '|' .. crashes)
end

-- Any sign of life of a worker; one a second is enough. `seen` is when it gave the last one.
local function see_worker(worker, seen, lease_ms, host, version, slots)
  if seen and NOW - seen < 1000 then return end
  redis.call('ZADD', P .. 'workers', NOW + lease_ms, worker)
  redis.call('HSET', key('w', worker), 'host', host, 'version', version, 'slots', slots,
    'seen', NOW)
  redis.call('PEXPIRE', key('w', worker), math.max(60000, 10 * lease_ms))
end
