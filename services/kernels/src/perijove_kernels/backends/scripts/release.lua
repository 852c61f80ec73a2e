-- ARGV: lost_after, kernel, reservation
local kept = redis.call('HGET', reserved, ARGV[2])
if kept and kept:match('^%S+ %S+ (%S+)') == ARGV[3] then redis.call('HDEL', reserved, ARGV[2]) end
return 0
