-- What the functions share. KEYS[1] is the prefix of every key: the shard as the hash tag.
--
--   job:<id>     HASH    packed: the job as MessagePack (its fields: see submit.lua); beside it
--                        as texts what others read alone: see BESIDE
--   lease:<id>   HASH    unit -> fence|worker|attempt|stage|n|charged ms|document as JSON
--   exp          ZSET    <id>:<unit> -> expiry of the lease in ms
--   retry:<id>   ZSET    unit -> due ms: units that wait to be claimed (again), -2 listing,
--                        -1 finishing; documents that were never claimed are cursor .. total-1
--   att:<id>     HASH    unit -> errors|crashes, only for units that had any
--   done:<id>    BITMAP  one bit per document that has ended
--   answer:<id>  LIST    answer|fence|fence|… of the last units given up, for repeated calls
--   ev:<id>      STREAM  events, entry id <seq>-0, field d = JSON
--   ready        ZSET    job -> virtual time: jobs with something claimable now
--   due          ZSET    job -> earliest due ms: jobs that only wait for a back-off
--   jobs         ZSET    job -> order of submission; jobs:<state> the same for each state
--   hist         ZSET    ended job -> when it is forgotten, ms
--   workers      ZSET    worker -> expiry ms;  w:<worker> HASH last claim, host, version, slots,
--                        suspect: last document held that one more crash would end
--   marks        HASH    fence: last one given out; clock: virtual time of the job served last
--   stats        HASH    counters since the start of this Redis: see `tally`
--   wake         LIST    markers for waiting workers
--
-- Channels belong to no shard: tq:ch:<id>, tq:ctl.
--
-- A function reads and validates first, changes the job as a table, and writes last (`save`).

local MOST_SHARDS = 16
local CHANNELS = 'tq:'
local LIST, FINISH = '-2', '-1'
local STAGES, STAGE_PERCENT = 14, 7
local THIN_ABOVE, STAGE_EVENTS_PER_SECOND = 1000, 20
local EVENTS_KEPT, EVENTS_BETWEEN_TRIMS = 20000, 64
local ANSWERS_KEPT, ANSWERS_KEPT_MS = 256, 600000
local OPEN_STATES = { 'queued', 'running', 'paused', 'cancelling' }
local FINAL_STATES = { 'completed', 'completed_with_errors', 'failed', 'cancelled' }
local OUTCOMES = { completed = true, completed_with_warnings = true, skipped_duplicate = true,
  too_short = true, needs_attention = true, failed = true, cancelled = true }

-- What belongs to one call: the prefix and its shard, the clock of the server, jobs that were read,
-- see `read_marks`, and texts of numbers and of NOW. Nothing else may outlive a call.
local P, SHARD, NOW_US, NOW
-- The libraries of Lua are not there yet when this one is loaded.
local floor, format
local opened, marks, known_texts, known_timestamp
local function begin(prefix)
  floor, format = math.floor, string.format
  P, SHARD = prefix, tonumber(string.match(prefix, '%d+'))
  local time = redis.call('TIME')
  NOW_US = tonumber(time[1]) * 1000000 + tonumber(time[2])
  NOW = floor(NOW_US / 1000)
  opened, marks, known_texts, known_timestamp = {}, nil, {}, nil
end

local function key(name, id) return P .. name .. ':' .. id end

-- A list with room for the sixteen units of a call: growing to it costs more than filling it.
local function list()
  return { nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }
end

-- Never tostring(): it writes 1e+15.
local function text(value)
  if type(value) ~= 'number' then return value end
  if value == floor(value) then return format('%d', value) end
  return format('%.17g', value)
end

-- The same for numbers that the events of a call have in common.
local function common(value)
  local known = known_texts[value]
  if not known then
    known = value == floor(value) and format('%d', value) or format('%.14g', value)
    known_texts[value] = known
  end
  return known
end

-- RFC 3339 of NOW (days since 1970 to a date of the proleptic Gregorian calendar); the same for
-- all events of a call.
local function timestamp()
  if known_timestamp then return known_timestamp end
  local days = floor(NOW / 86400000)
  local ms = NOW - days * 86400000
  local z = days + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local day = doy - floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  known_timestamp = format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    floor(ms / 3600000), floor(ms / 60000) % 60, floor(ms / 1000) % 60, ms % 1000)
  return known_timestamp
end

-- The job as a table, or nil; the same table whenever a script asks for it. Reading each field of the
-- job from a field of the HASH would cost more than the rest of most scripts.
local function open_job(id)
  local job = opened[id]
  if job then return job end
  local packed = redis.call('HGET', key('job', id), 'packed')
  if not packed then return nil end
  job = { id = id, fields = cmsgpack.unpack(packed), changed = {} }
  opened[id] = job
  return job
end

-- A number of the job; one that was never written is 0.
local function get(job, name) return job.fields[name] or 0 end

local function put(job, name, value)
  job.fields[name] = value
  job.changed[name] = true
end

local function add(job, name, by)
  job.fields[name] = (job.fields[name] or 0) + by
  job.changed[name] = true
end

-- What others read without the rest stands beside it as texts.
local BESIDE = { 'seq', 'state', 'ending', 'epoch' }
local function save(job)
  local fields, changed = job.fields, job.changed
  if not next(changed) then return end
  local flat = { 'packed', cmsgpack.pack(fields) }
  for _, name in ipairs(BESIDE) do
    if changed[name] then
      flat[#flat + 1] = name
      flat[#flat + 1] = text(fields[name])
    end
  end
  job.changed = {}
  redis.call('HSET', key('job', job.id), unpack(flat))
end

local IS_FINAL = { completed = true, completed_with_errors = true, failed = true, cancelled = true }
local function is_final(job) return IS_FINAL[job.fields.state] end

local function is_ending(job) return job.fields.ending ~= '' end

local function set_state(job, state)
  redis.call('ZREM', key('jobs', job.fields.state), job.id)
  redis.call('ZADD', key('jobs', state), job.fields.order, job.id)
  put(job, 'state', state)
end

-- Counts what operators watch: claimed, already (a repetition was recognised), lost (a call under
-- a lost lease), expired, retried, dead, released, repaired.
local function tally(name, by)
  if by > 0 then redis.call('HINCRBY', P .. 'stats', name, by) end
end

local function misuse(reason) return redis.error_reply('TQ_MISUSE ' .. reason) end
local function no_such_job() return redis.error_reply('TQ_NO_SUCH_JOB no such job') end
