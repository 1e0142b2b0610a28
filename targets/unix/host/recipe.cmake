# How images for unix are made, and how crunch run starts them.
# An image with a sanitizer cannot be static.
if(CRUNCH_SANITIZE)
  set(CRUNCH_PROCESS_LINK -no-pie -fsanitize=${CRUNCH_SANITIZE})
else()
  set(CRUNCH_PROCESS_LINK -static -no-pie -Wl,--gc-sections -s)
endif()
crunch_image_target(unix HEADER targets/unix/target.hpp
  START "@IMAGE@ --http-port=8080" HOST run.cpp LINK ${CRUNCH_PROCESS_LINK})
