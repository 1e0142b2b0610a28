# A target that stands outside targets/: a program that crunch run does not start but describes.
crunch_image_target(fake HEADER targets/unix/target.hpp HOST run.cpp LINK ${CRUNCH_PROCESS_LINK})
