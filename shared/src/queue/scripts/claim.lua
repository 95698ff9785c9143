#!lua flags=allow-oom
-- ARGV worker, claim id, units wanted (<= 16), lease ms, most errors, most crashes, host,
--      version, slots
-- Returns a JSON array with an object for each job served: job, collection, force, trace; its kinds of
--      units, each with attempt, task list|train|lost|finish and what the task needs; its units,
--      each as unit, fence, place of its kind
--
-- A repeated claim id gets the stored reply, so a lost reply leaks no leases.

local worker, claim_id = ARGV[1], ARGV[2]
local wanted, lease_ms = math.min(16, tonumber(ARGV[3])), tonumber(ARGV[4])
local max_errors, max_crashes = tonumber(ARGV[5]), tonumber(ARGV[6])
local UNITS_PER_TURN, MOST_TURNS, MOST_SEEN, MOST_PROMOTED = 4, 64, 16, 16

local stored = redis.call('HMGET', key('w', worker), 'claim', 'reply', 'suspect', 'seen')
if stored[1] == claim_id then return stored[2] end
see_worker(worker, tonumber(stored[4]), lease_ms, ARGV[7], ARGV[8], ARGV[9])

promote(MOST_PROMOTED)

-- A document that would be given up after one more crash. A worker has one of them at a time (and
-- shard): whoever merely ran beside a deadly one must not die with it until it is taken for deadly,
-- too.
local function is_last_chance(unit, crashes)
  return crashes > 0 and crashes == max_crashes - 1 and unit ~= LIST and unit ~= FINISH
end

local function has_last_chance()
  local id, unit, fence = string.match(stored[3] or '', '^(.*):(-?%d+)|(%d+)$')
  return id and is_held(lease_of(id, unit), fence)
end
local is_burdened = has_last_chance()

-- The next unit of a job that was given out before or is no document, and the errors and crashes
-- that it has caused; then the next document.
local function next_unit(job)
  job.due = job.due
    or redis.call('ZRANGEBYSCORE', key('retry', job.id), '-inf', NOW, 'LIMIT', 0, MOST_SEEN)
  while #job.due > 0 do
    local unit = table.remove(job.due, 1)
    local errors, crashes = attempts(job.id, unit)
    if not (is_burdened and is_last_chance(unit, crashes)) then
      redis.call('ZREM', key('retry', job.id), unit)
      return unit, errors, crashes
    end
  end
  local fields = job.fields
  local cursor = fields.cursor
  if cursor >= fields.total then return nil end
  fields.cursor = cursor + 1
  return format('%d', cursor), 0, 0
end

-- Milliseconds of cost that a document is charged until its own are measured: the job's mean.
local function estimate(job)
  local measured = get(job, 'cost_n')
  return measured > 0 and floor(get(job, 'cost_ms') / measured) or 1000
end

local function task_of(job, unit, errors, crashes)
  if unit == LIST then
    local position = job.fields.position
    return '"task":"list","total":' .. text(get(job, 'total'))
      .. (position ~= '' and ',"position":' .. cjson.encode(position) or '')
  elseif unit == FINISH then
    return '"task":"finish","verdict":"' .. job.fields.verdict .. '"'
      .. (job.fields.error and ',"error":' .. cjson.encode(job.fields.error) or '')
  elseif crashes >= max_crashes then
    return '"task":"lost"'
  end
  return '"task":"train","last":' .. (errors + 1 >= max_errors and 1 or 0)
end

-- What the units of a job have in common, and their kinds.
local function head_of(job)
  local trace = job.fields.traceparent or ''
  return '{"job":"' .. job.id .. '","collection":' .. cjson.encode(job.fields.collection)
    .. ',"force":' .. job.fields.force
    .. (trace ~= '' and ',"trace":' .. cjson.encode(trace) or '')
    .. ',"kinds":[' .. table.concat(job.kinds, ',') .. '],"units":['
end

-- What leases and claims of a unit have in common with others of its kind: everything but unit and
-- fence.
local function kind_of(job, unit, errors, crashes)
  local is_document = unit ~= LIST and unit ~= FINISH
  local attempt, charged = errors + crashes + 1, is_document and estimate(job) or 0
  local kinds = job.kinds
  kinds[#kinds + 1] = '{"attempt":' .. attempt .. ',' .. task_of(job, unit, errors, crashes) .. '}'
  return {
    lease = lease_rest(worker, attempt, 0, 0, charged, ''),
    claim = ',' .. #kinds - 1 .. ']',
    virtual_time = charged / 1000 / get(job, 'weight'),
  }
end

local taken, expiries, expiry = 0, { '+inf', NO_LEASE }, text(NOW + lease_ms)
local function take(job, unit, errors, crashes)
  local kind, fields, fence = job.fresh, job.fields, format('%d', next_fence())
  if errors + crashes > 0 or unit == LIST or unit == FINISH then
    kind = kind_of(job, unit, errors, crashes)
  elseif not kind then
    kind = kind_of(job, unit, 0, 0)
    job.fresh = kind
  end
  local leases, units = job.leases, job.units
  local at = 2 * #units + 1
  leases[at], leases[at + 1] = unit, fence .. kind.lease
  units[#units + 1] = (at > 1 and ',[' or '[') .. unit .. ',' .. fence .. kind.claim
  taken = taken + 1
  at = 2 * taken + 1
  expiries[at], expiries[at + 1] = expiry, job.id .. ':' .. unit
  if is_last_chance(unit, crashes) then
    is_burdened = true
    redis.call('HSET', key('w', worker), 'suspect', job.id .. ':' .. unit .. '|' .. fence)
  end
  if unit == LIST then job.is_listed_here = true end
  fields.inflight = fields.inflight + 1
  fields.vt = fields.vt + kind.virtual_time
  if fields.state == 'queued' then
    set_state(job, 'running')
    put(job, 'started', NOW)
    emit_job(job, 'Обучение началось')
  end
end

-- The jobs in the order of their virtual times. They change places here, not in `ready`, until
-- each has got what it gets.
local ready = {}
local flat = redis.call('ZRANGE', P .. 'ready', 0, MOST_TURNS - 1, 'WITHSCORES')
for i = 1, #flat, 2 do ready[#ready + 1] = { id = flat[i], vt = tonumber(flat[i + 1]) } end

local marks = read_marks()
local served = {}
local function open(candidate)
  local job = open_job(candidate.id)
  if not job then
    redis.call('ZREM', P .. 'ready', candidate.id)
    return nil
  end
  job.leases, job.units, job.kinds = list(), list(), {}
  job.changed.inflight, job.changed.vt, job.changed.cursor = true, true, true
  served[#served + 1] = job
  return job
end

-- Gives out at most four units of a job; answers whether it may have more.
local function turn(job)
  marks.clock = math.max(marks.clock, job.fields.vt)
  for _ = 1, UNITS_PER_TURN do
    if taken >= wanted or not has_room(job) then return false end
    local unit, errors, crashes = next_unit(job)
    if not unit then return false end
    take(job, unit, errors, crashes)
  end
  return true
end

while taken < wanted and #ready > 0 do
  local first = 1
  for i = 2, #ready do if ready[i].vt < ready[first].vt then first = i end end
  local candidate = ready[first]
  candidate.job = candidate.job or open(candidate)
  if candidate.job and turn(candidate.job) then
    candidate.vt = candidate.job.fields.vt
  else
    table.remove(ready, first)
  end
end

-- Joined once: each text on the way to the reply would cost as much again.
local claims, is_more = list(), #ready > 0
for _, job in ipairs(served) do
  local units = job.units
  if #units > 0 then
    redis.call('HSET', key('lease', job.id), unpack(job.leases))
    claims[#claims + 1] = #claims == 0 and '[' or ','
    claims[#claims + 1] = head_of(job)
    for n = 1, #units do claims[#claims + 1] = units[n] end
    claims[#claims + 1] = ']}'
  end
  is_more = place(job) or is_more
  save(job)
end
if taken > 0 then
  redis.call('ZADD', P .. 'exp', unpack(expiries))
  keep_marks()
end

tally('claimed', taken)
-- Somebody else may take the rest.
if taken > 0 and is_more then wake() end
local reply = #claims > 0 and table.concat(claims) .. ']' or '[]'
redis.call('HSET', key('w', worker), 'claim', claim_id, 'reply', reply)
return reply
