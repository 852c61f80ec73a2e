-- ARGV: session, kernel
local row = redis.call('HGET', rows, ARGV[1])
if not row then return 0 end
local known = cjson.decode(row)
if known.kernel_id ~= ARGV[2] then return 0 end
redis.call('HDEL', rows, ARGV[1])
note(ARGV[1])
if redis.call('HGET', paths, known.path) == ARGV[1] then
  redis.call('HDEL', paths, known.path)
end
return 1
