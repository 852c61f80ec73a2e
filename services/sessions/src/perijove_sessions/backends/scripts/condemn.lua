-- ARGV: kernel
-- Returns whether no session has it, nor gets it any more. Sent again: the same.
for _, row in ipairs(redis.call('HVALS', rows)) do
  if cjson.decode(row).kernel_id == ARGV[1] then return 0 end
end
redis.call('ZADD', leftovers, math.floor(now), ARGV[1])
return 1
