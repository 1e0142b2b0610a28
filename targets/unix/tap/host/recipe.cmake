# How images for unix-tap are made, and how crunch run starts them.
if(TARGET crunch_net_lwip)
  crunch_image_target(unix-tap HEADER targets/unix/tap/target.hpp
    START "@IMAGE@ --tap=tap0" HOST run.cpp
    LINK ${CRUNCH_PROCESS_LINK})
endif()
