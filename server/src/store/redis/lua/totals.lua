return { DONE, redis.call('ZCARD', EXPIRIES), tonumber(redis.call('HGET', TOTALS, 'waiting') or 0) }
