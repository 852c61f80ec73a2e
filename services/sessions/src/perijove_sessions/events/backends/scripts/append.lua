-- ARGV: request, most events, most bytes, how long requests are known (microseconds),
--   most requests, then for each event itself (JSON) and the size of its data
-- Returns the feed's name and the number of the last of the events.
local name = feed_name()
local done = redis.call('ZSCORE', requests, ARGV[1])
if done then return { name, whole(tonumber(done)) } end
local last = last_number()
local size = tonumber(redis.call('HGET', meta, 'size') or '0')
for i = 6, #ARGV, 2 do
  local number = math.max(last + 1, micros)
  redis.call(
    'XADD', feed, whole(number) .. '-0',
    'event', ARGV[i], 'size', ARGV[i + 1], 'before', whole(last)
  )
  size = size + tonumber(ARGV[i + 1])
  last = number
end
local length = redis.call('XLEN', feed)
while length > 1 and (length > tonumber(ARGV[2]) or size > tonumber(ARGV[3])) do
  local oldest = redis.call('XRANGE', feed, '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', feed, oldest[1])
  size = size - tonumber(oldest[2][4])
  length = length - 1
end
redis.call('HSET', meta, 'number', whole(last), 'size', whole(size))
redis.call('ZADD', requests, whole(last), ARGV[1])
redis.call('ZREMRANGEBYSCORE', requests, '-inf', '(' .. whole(micros - tonumber(ARGV[4])))
redis.call('ZREMRANGEBYRANK', requests, 0, -tonumber(ARGV[5]) - 1)
return { name, whole(last) }
