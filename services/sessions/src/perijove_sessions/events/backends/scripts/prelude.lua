-- In front of every script of the events. All keys share the hash tag {e}, so that
-- a script is one atomic step on a cluster, too.
--
--   meta      HASH feed (its name), number (its last), size (bytes of data in it)
--   requests  ZSET id of a request by the number of the last event it published
--   feed      STREAM "<number>-0" -> event (JSON), size of its data, before (the number
--             of the event before it, by which it shows when one is missing)
--
-- Numbers are microseconds of the clock, made to rise: they rise on, too, if the
-- server lost the last second.
local meta, requests, feed = unpack(KEYS)
local clock = redis.call('TIME')
local micros = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local function whole(number)
  return string.format('%.0f', number)
end

local function last_number()
  return tonumber(redis.call('HGET', meta, 'number') or '0')
end

local function feed_name()
  redis.call('HSETNX', meta, 'feed', clock[1] .. '.' .. clock[2])
  return redis.call('HGET', meta, 'feed')
end
