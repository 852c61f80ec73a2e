-- ARGV: lost_after, kernel, runner, revision, user, row
-- Returns 'STRAY', or the row as it is now known, or '' if the kernel is gone.
if put(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]) == 'stray' then return 'STRAY' end
return redis.call('HGET', kernels, ARGV[2]) or ''
