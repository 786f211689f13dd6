local status, s = held(ARGV[BASE], ARGV[BASE + 1])
if status ~= DONE then return { status } end
if tonumber(ARGV[BASE + 2]) > s.sent then return { UNKNOWN } end
forget(ARGV[BASE], s, tonumber(ARGV[BASE + 2]))
finish()
return { DONE }
