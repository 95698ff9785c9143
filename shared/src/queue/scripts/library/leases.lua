-- Leases.

-- Redis keeps a small sorted set as one block of memory and walks through it at every change, but
-- not when a member is longer than 64 bytes. This one stands in `exp` for ever.
local NO_LEASE = string.rep('no lease ', 8)

-- Fences of different shards differ: each shard takes the numbers that leave its own remainder.
local issued
local function next_fence()
  if issued then
    issued = issued + MOST_SHARDS
  else
    issued = math.max((tonumber(redis.call('GET', P .. 'fence')) or 0) + 1, NOW_US)
    issued = issued + (SHARD - issued) % MOST_SHARDS
  end
  return issued
end

-- Whoever issues fences calls this last.
local function keep_fence()
  if issued then redis.call('SET', P .. 'fence', text(issued)) end
end

-- What follows the fence is the same for all documents that a worker takes for the first time.
local parsed = {}
local function parse_lease(unit, stored)
  if not stored then return nil end
  local fence, rest = string.match(stored, '^(%d+)(.*)$')
  local known = parsed[rest]
  if not known then
    local worker, attempt, stage, n, charged, document =
      string.match(rest, '^|([^|]*)|(%d+)|(%d+)|(%d+)|(%d+)|(.*)$')
    known = { worker = worker, attempt = tonumber(attempt), stage = tonumber(stage),
      n = tonumber(n), charged = tonumber(charged), document = document }
    parsed[rest] = known
  end
  return { unit = unit, fence = fence, worker = known.worker, attempt = known.attempt,
    stage = known.stage, n = known.n, charged = known.charged, document = known.document }
end

local function lease_of(id, unit)
  return parse_lease(unit, redis.call('HGET', key('lease', id), unit))
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
    local of, answer = string.match(entry, '^(%d+) (.*)$')
    if of == fence then return answer end
  end
  return nil
end

-- Keeps "<fence> <answer>" for each unit given up.
local function keep_answers(job, answers)
  local list = key('answer', job.id)
  if redis.call('LPUSH', list, unpack(answers)) > 2 * ANSWERS_KEPT then
    redis.call('LTRIM', list, 0, ANSWERS_KEPT - 1)
  end
  redis.call('PEXPIRE', list, ANSWERS_KEPT_MS)
end

local function answer(job, lease, reply)
  keep_answers(job, { lease.fence .. ' ' .. reply })
  return reply
end

-- The reply of a call whose lease is not held: a repetition or a loser.
local function not_held(id, fence)
  local reply = answered(id, fence) and 'already' or 'lost'
  tally(reply, 1)
  return reply
end

-- The job's part of a dropped lease.
local function let_go(job, lease)
  add(job, 'inflight', -1)
  if lease.stage > 0 then add(job, 'partial', -lease.stage * STAGE_PERCENT) end
end

local function drop(job, lease)
  redis.call('HDEL', key('lease', job.id), lease.unit)
  redis.call('ZREM', P .. 'exp', job.id .. ':' .. lease.unit)
  let_go(job, lease)
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
