-- In front of every script of terminals. The first three keys are the registry's.
--
--   runners   HASH runner -> row (JSON)
--   seen      ZSET runner by time of its last word
--   meta      HASH swept, ...
--   names     ZSET name by the time at which it is free again
--   turn      how many names were given back
local runners, seen, meta, names, turn = unpack(KEYS)
local lost_after = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local function turn_now()
  return tonumber(redis.call('GET', turn) or '0')
end
