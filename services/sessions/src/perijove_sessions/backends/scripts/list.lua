-- Returns {rows, kernels left over}.
return {
  redis.call('HVALS', rows), redis.call('ZRANGEBYSCORE', leftovers, '-inf', now, 'LIMIT', 0, 100),
}
