local k = key('count', ARGV[BASE])
local c = redis.call('HMGET', k, 'count', 'till')
local count = 1
if c[1] and tonumber(c[2]) > now then count = c[1] + 1 end
redis.call('HSET', k, 'count', int(count), 'till', int(now + TTL))
redis.call('PEXPIRE', k, int(TTL))
return { DONE, count }
