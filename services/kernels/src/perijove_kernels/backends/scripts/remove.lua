-- ARGV: lost_after, kernel, runner, revision, doomed
local holder = owner_of(ARGV[2])
if holder == ARGV[3] then drop(ARGV[2], ARGV[4], ARGV[5]) end
return 0
