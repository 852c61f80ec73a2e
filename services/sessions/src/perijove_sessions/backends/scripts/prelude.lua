-- In front of every script of the sessions. All keys share the hash tag {s}, so
-- that a script is one atomic step on a cluster, too.
--
--   rows       HASH session -> row (JSON)
--   paths      HASH path -> session
--   claims     HASH path -> "<expires> <session> <claim (JSON)>"
--   leftovers  ZSET kernel by the time from which it is a leftover
local rows, paths, claims, leftovers = unpack(KEYS)
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

local function write(session, path, row)
  redis.call('HSET', rows, session, row)
  redis.call('HSET', paths, path, session)
end
