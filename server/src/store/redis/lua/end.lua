if held(ARGV[BASE], ARGV[BASE + 1]) ~= DONE then return { DONE } end
local ended = remove(ARGV[BASE])
finish()
return { DONE, ended }
