-- ARGV: lost_after, name
redis.call('ZREM', names, ARGV[2])
redis.call('INCR', turn)
return ''
