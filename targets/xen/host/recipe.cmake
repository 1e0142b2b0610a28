# How images for xen are made, and how crunch run starts them.
if(TARGET crunch_targets_xen AND TARGET crunch_net_lwip)
  get_property(bare_link GLOBAL PROPERTY CRUNCH_BARE_LINK)
  get_property(entry GLOBAL PROPERTY CRUNCH_PVH_LINK)
  crunch_image_target(xen HEADER targets/xen/target.hpp
    START "crunch run @IMAGE@" HOST run.cpp
    MODULES crunch_targets_xen SYMBOLS libos_symbols
    CONTENT_MAX 3221225472 COMPANION guest.xl LINK ${bare_link} ${entry} -s)
endif()
