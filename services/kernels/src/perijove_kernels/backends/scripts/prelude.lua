-- In front of every script of the registry. All keys share the hash tag {k}, so
-- that a script is one atomic step on a cluster, too.
--
--   kernels   HASH kernel -> row (JSON)        owners   HASH kernel -> "<revision> <runner> <user>"
--   runners   HASH runner -> row (JSON)        specs    HASH runner -> kernelspecs (JSON)
--   seen      ZSET runner by time of its last word
--   streams   HASH runner -> "<stream> <run>", the stream that may speak for it
--   reserved  HASH kernel -> "<expires> <runner> <reservation> <user>"
--   gone      HASH kernel -> "<revision> <time> <doomed: 0 or 1>"
--   ended     HASH kernel -> row as it was last, of those that are gone
--   drains    HASH runner -> drain (JSON), of those that are being drained
--   queue     ZSET kernel that waits for a place, by when that began (microseconds)
--   waiting   HASH kernel -> what it waits for (JSON), with when it was last asked for
--   meta      HASH run (of the server), since, swept, feed (its name), number (its last)
--   feed      STREAM "<number>-0" -> kernel that has changed or is gone; the latest ones
--
-- Numbers of the feed are microseconds of the clock, made to rise: they rise on, too,
-- if the server lost the last second. Its name is another one after that.
-- Revisions are kept as the texts they came in: Lua would print large ones rounded.
local kernels, owners, runners, specs, seen, streams, reserved, gone, ended, drains, queue, waiting,
  meta, feed = unpack(KEYS)
local lost_after = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

-- Nobody listened for a while: then silence says nothing of the runners.
local function blind()
  local swept = redis.call('HGET', meta, 'swept')
  return not swept or now - tonumber(swept) > lost_after / 2
end

local function live(runner)
  local last = redis.call('ZSCORE', seen, runner)
  return last and (now - tonumber(last) <= lost_after or blind())
end

local function owner_of(kernel)
  local text = redis.call('HGET', owners, kernel)
  if not text then return nil end
  local revision, runner = text:match('^(%S+) (%S+)')
  return runner, tonumber(revision)
end

local function last_number()
  return tonumber(redis.call('HGET', meta, 'number') or '0')
end

-- Returns the feed's name, '' if it has none yet, and its last number.
local function position()
  return redis.call('HGET', meta, 'feed') or '', string.format('%.0f', last_number())
end

local function note(kernel)
  local micros = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
  local number = string.format('%.0f', math.max(last_number() + 1, micros))
  redis.call('HSET', meta, 'number', number)
  redis.call('XADD', feed, 'MAXLEN', '~', 10000, number .. '-0', 'kernel', kernel)
end

-- Buries a kernel, as `row` says or, if that is '', as it is known.
local function drop(kernel, revision, doomed, row)
  if row == '' then row = redis.call('HGET', kernels, kernel) or '' end
  redis.call('HSET', ended, kernel, row)
  redis.call('HDEL', kernels, kernel)
  redis.call('HDEL', owners, kernel)
  redis.call('HDEL', reserved, kernel)
  redis.call('HSET', gone, kernel, revision .. ' ' .. clock[1] .. ' ' .. doomed)
  note(kernel)
end

-- Notes what a runner says of a kernel. Returns 'kept', 'old' if something newer is
-- known, or 'stray' if the runner should not have it.
local function put(kernel, runner, revision, user, row)
  local holder, held = owner_of(kernel)
  if holder and holder ~= runner then return 'stray' end
  if holder and tonumber(revision) < held then return 'old' end
  if not holder then
    local grave = redis.call('HGET', gone, kernel)
    if grave then
      local last, doomed = grave:match('^(%S+) %S+ (%d)$')
      if doomed == '1' then return 'stray' end
      if tonumber(revision) <= tonumber(last) then return 'old' end
      redis.call('HDEL', gone, kernel)
      redis.call('HDEL', ended, kernel)
    end
  end
  redis.call('HSET', kernels, kernel, row)
  redis.call('HSET', owners, kernel, revision .. ' ' .. runner .. ' ' .. user)
  redis.call('HDEL', reserved, kernel)
  note(kernel)
  return 'kept'
end

-- Notes kernels given as (id, revision, user, row) from ARGV[first] on; returns the strays.
local function put_all(runner, first, count)
  local strays = {}
  for at = first, first + 4 * count - 1, 4 do
    if put(ARGV[at], runner, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) == 'stray' then
      strays[#strays + 1] = ARGV[at]
    end
  end
  return strays
end

local function leave_queue(kernel)
  redis.call('ZREM', queue, kernel)
  redis.call('HDEL', waiting, kernel)
end

local function set_drain(runner, drain)
  if drain == '' then
    redis.call('HDEL', drains, runner)
  else
    redis.call('HSET', drains, runner, drain)
  end
end

local function owned_by(runner)
  local found = {}
  local all = redis.call('HGETALL', owners)
  for at = 1, #all, 2 do
    local revision, holder = all[at + 1]:match('^(%S+) (%S+)')
    if holder == runner then found[all[at]] = tonumber(revision) end
  end
  return found
end

-- Forgets a runner, and all that it holds.
local function forget(runner)
  for kernel in pairs(owned_by(runner)) do
    redis.call('HDEL', kernels, kernel)
    redis.call('HDEL', owners, kernel)
    note(kernel)
  end
  redis.call('HDEL', runners, runner)
  redis.call('HDEL', specs, runner)
  redis.call('HDEL', streams, runner)
  redis.call('HDEL', drains, runner)
  redis.call('ZREM', seen, runner)
end
