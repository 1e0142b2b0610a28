# How images for hvt are made, and how crunch run starts them.
if(TARGET crunch_targets_hvt AND TARGET crunch_net_lwip)
  get_property(bare_link GLOBAL PROPERTY CRUNCH_BARE_LINK)
  get_property(entry GLOBAL PROPERTY CRUNCH_HVT_LINK)
  crunch_image_target(hvt HEADER targets/hvt/target.hpp
    START "sudo crunch run @IMAGE@ --net auto" HOST run.cpp own_network.cpp
    MODULES crunch_targets_hvt SYMBOLS libos_symbols
    CONTENT_MAX 3221225472 LINK ${bare_link} ${entry} -s)
endif()
