-- ARGV: lost_after, kernel, runner, revision, doomed, row
local holder = owner_of(ARGV[2])
if holder == ARGV[3] then drop(ARGV[2], ARGV[4], ARGV[5], ARGV[6]) end
return 0
