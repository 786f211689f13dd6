-- What the keys look like; other looks have other numbers.
local version = redis.call('GET', PREFIX .. ':version')
if not version then
    version = '1'
    redis.call('SET', PREFIX .. ':version', version)
end
return { DONE, version }
