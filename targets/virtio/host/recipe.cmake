# How images for virtio are made, and how crunch run starts them.
if(TARGET crunch_targets_virtio AND TARGET crunch_net_lwip)
  get_property(bare_link GLOBAL PROPERTY CRUNCH_BARE_LINK)
  get_property(entry GLOBAL PROPERTY CRUNCH_PVH_LINK)
  crunch_image_target(virtio HEADER targets/virtio/target.hpp
    START "crunch run @IMAGE@" HOST run.cpp
    MODULES crunch_targets_virtio SYMBOLS libos_symbols
    CONTENT_MAX 3221225472 LINK ${bare_link} ${entry} -s)
endif()
