-- ARGV: lost_after, runner, stream
local speaker = ARGV[3] .. ' ' .. (redis.call('HGET', meta, 'run') or '')
if redis.call('HGET', streams, ARGV[2]) == speaker then forget(ARGV[2]) end
return 0
