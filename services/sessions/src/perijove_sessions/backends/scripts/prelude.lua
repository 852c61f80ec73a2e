-- In front of every script of the sessions. All keys share the hash tag {s}, so
-- that a script is one atomic step on a cluster, too.
--
--   rows       HASH session -> row (JSON)
--   paths      HASH path -> session
--   claims     HASH path -> "<expires> <session> <claim (JSON)>"
--   leftovers  ZSET kernel by the time from which it is a leftover
--   meta       HASH feed (its name), number (its last)
--   feed       STREAM "<number>-0" -> session that has changed or is gone; the latest ones
--
-- Numbers of the feed are microseconds of the clock, made to rise: they rise on, too,
-- if the server lost the last second.
local rows, paths, claims, leftovers, meta, feed = unpack(KEYS)
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local function at_path(path)
  local session = redis.call('HGET', paths, path)
  if not session then return nil end
  return session, redis.call('HGET', rows, session)
end

-- The session that a path is being claimed for, and the claim.
local function claimant(path)
  local text = redis.call('HGET', claims, path)
  if not text then return nil end
  local expires, session, claim = text:match('^(%S+) (%S+) (.+)$')
  if tonumber(expires) < now then
    redis.call('HDEL', claims, path)
    return nil
  end
  return session, claim
end

-- A kernel that is left over is shut down: no session may get it any more.
local function is_left_over(kernel)
  local due = redis.call('ZSCORE', leftovers, kernel)
  return due and tonumber(due) <= now
end

local function last_number()
  return tonumber(redis.call('HGET', meta, 'number') or '0')
end

-- Returns the feed's name and its last number.
local function position()
  redis.call('HSETNX', meta, 'feed', clock[1] .. '.' .. clock[2])
  return redis.call('HGET', meta, 'feed'), string.format('%.0f', last_number())
end

local function note(session)
  local micros = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
  local number = string.format('%.0f', math.max(last_number() + 1, micros))
  redis.call('HSET', meta, 'number', number)
  redis.call('XADD', feed, 'MAXLEN', '~', 10000, number .. '-0', 'session', session)
end

local function write(session, path, row)
  note(session)
  redis.call('HSET', rows, session, row)
  redis.call('HSET', paths, path, session)
end
