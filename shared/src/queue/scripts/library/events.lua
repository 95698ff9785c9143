-- Counters and events. The fields of the job are read directly here: an event looks at many, and
-- there is one for each document.

-- Outcomes of documents that were handled; the others were skipped, failed or cancelled.
local HANDLED = { completed = true, completed_with_warnings = true, needs_attention = true,
  too_short = true }

-- Documents that have ended, and how many of them were handled (`job.done`). Both are added up once
-- and then kept by `add_ended`.
local function ended(job)
  if not job.ended then
    local fields = job.fields
    job.done = 0
    for outcome in pairs(HANDLED) do job.done = job.done + (fields[outcome] or 0) end
    job.ended = job.done + (fields.skipped_duplicate or 0) + (fields.failed or 0)
      + (fields.cancelled or 0)
  end
  return job.ended
end

-- Documents that have ended with an outcome.
local function add_ended(job, outcome, number)
  job.ended = ended(job) + number
  if HANDLED[outcome] then job.done = job.done + number end
  add(job, outcome, number)
end

-- Percent to one decimal. Before the seal the share is unknown and stays; it never falls, even
-- when a document starts again; what was cancelled is no progress.
local function measure_progress(job)
  local fields = job.fields
  local total = fields.total
  if total == 0 or fields.sealed == 0 then return end
  local percent = ((ended(job) - (fields.cancelled or 0)) * 100 + fields.partial) / total
  percent = floor(percent * 10) / 10
  if percent > fields.progress then put(job, 'progress', percent) end
end

-- Seconds left by the mean time per document ended so far, or nil while there is nothing to
-- measure. Pauses do not count.
local function eta(job)
  local fields, count = job.fields, ended(job)
  if count == 0 or fields.state ~= 'running' or fields.sealed == 0 then return nil end
  local elapsed = NOW - fields.started - (fields.idle or 0)
  local seconds = elapsed / count * (fields.total - count) / 1000
  if seconds < 0 then return 0 end
  return seconds < 100 and floor(seconds * 10) / 10 or floor(seconds)
end

-- A JSON object without its braces.
local function members(object) return string.sub(object, 2, -2) end

-- Writes an event into the history and publishes it. `fields` are members of a JSON object, and so
-- is `document`, what is constant about the document of the unit ('' where it is unknown). The body
-- is made in one piece: texts on the way to it would cost more than the commands.
local function emit(job, opening, fields, unit, attempt, document)
  measure_progress(job)
  local counts, seconds = job.fields, eta(job)
  local sequence = counts.seq + 1
  counts.seq, job.changed.seq = sequence, true
  local seq, failed, skipped = format('%d', sequence), counts.failed, counts.skipped_duplicate
  if failed ~= job.failed or skipped ~= job.skipped or counts.total ~= job.total then
    job.failed, job.skipped, job.total = failed, skipped, counts.total
    job.of = ',"total":' .. common(counts.total) .. ',"attempt":'
    job.losses = ',"failed":' .. common(failed or 0) .. ',"skipped":' .. common(skipped or 0)
      .. ',"total":' .. common(counts.total) .. ',"progress":'
  end
  local before, at, of, nth, after = ',"document":{', ',"index":', job.of, attempt, '}'
  if not unit or document == '' then
    before, document, at, unit, of, nth, after = '', '', '', '', '', '', ''
  end
  if not job.stream then
    job.stream, job.channel = key('ev', job.id), CHANNELS .. 'ch:' .. job.id
    job.named = ',"job_id":"' .. job.id .. '","epoch":"' .. counts.epoch .. '","seq":'
    job.clocked = ',"ts":"' .. timestamp() .. '","job":{"status":"'
  end
  local body = '{' .. opening .. fields
    .. before .. document .. at .. unit .. of .. nth .. after
    .. job.named .. seq .. job.clocked .. counts.state
    .. '","done":' .. format('%d', job.done) .. job.losses .. common(counts.progress)
    .. ',"eta_s":' .. (seconds and common(seconds) or 'null') .. '}}'
  if sequence % EVENTS_BETWEEN_TRIMS == 0 then
    redis.call('XADD', job.stream, 'MAXLEN', '~', EVENTS_KEPT, seq .. '-0', 'd', body)
  else
    redis.call('XADD', job.stream, seq .. '-0', 'd', body)
  end
  if not job.is_unheard then redis.call('PUBLISH', job.channel, body) end
end

-- Whether anybody listens to the events of the job, by its channel or by a pattern.
local function is_heard(job)
  return redis.call('PUBSUB', 'NUMSUB', CHANNELS .. 'ch:' .. job.id)[2] > 0
    or redis.call('PUBSUB', 'NUMPAT') > 0
end

local function emit_job(job, log)
  measure_progress(job)
  emit(job, '"type":"job",', '"stage":"job","log":' .. cjson.encode(log)
    .. ',"progress":' .. common(job.fields.progress))
end

-- A finished stage.
local function emit_stage(job, lease, fields, document)
  emit(job, '"type":"stage",', fields, lease.unit, common(lease.attempt), document)
end

-- The event of a document that has ended; its stage is the last one that it finished.
local openings = {}
local function emit_document(job, unit, lease, fields, document)
  local stage = lease.stage
  openings[stage] = openings[stage] or '"type":"document","stage":"' .. stage .. '/' .. STAGES
    .. '","progress":' .. stage * STAGE_PERCENT .. ','
  emit(job, openings[stage], fields, unit, common(lease.attempt), document)
end

-- A job for reading: what is stored and what is computed from it.
local function view(job)
  measure_progress(job)
  local flat = { 'id', job.id }
  for name, value in pairs(job.fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = name == 'progress' and common(value) or text(value)
  end
  local seconds = eta(job)
  if seconds then
    flat[#flat + 1] = 'eta_s'
    flat[#flat + 1] = common(seconds)
  end
  if job.fields.state == 'queued' then
    local rank = redis.call('ZRANK', P .. 'ready', job.id)
    if rank then
      flat[#flat + 1] = 'queue_position'
      flat[#flat + 1] = text(rank)
    end
  end
  return flat
end
