-- ARGV: lost_after, kernel
-- Returns its row as it was last, or '' if it is not gone, or for so long that nobody knows.
if not redis.call('HGET', gone, ARGV[2]) then return '' end
return redis.call('HGET', ended, ARGV[2]) or ''
