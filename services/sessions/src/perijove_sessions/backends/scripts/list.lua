-- Returns {rows, kernels left over, feed, its last number}.
-- Claims that nobody came back to are dropped on the way.
for _, path in ipairs(redis.call('HKEYS', claims)) do claimant(path) end
return {
  redis.call('HVALS', rows), redis.call('ZRANGEBYSCORE', leftovers, '-inf', now, 'LIMIT', 0, 100),
  position()
}
