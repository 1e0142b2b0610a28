# cmake/package.cmake: `cpack --config <build folder>/CPackConfig.cmake` makes a Debian package of
# the tool, with the compiled archives that images are linked from. Build everything first.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME crunch)
set(CPACK_PACKAGE_VENDOR crunch)
set(CPACK_PACKAGE_CONTACT "the maintainers of crunch <crunch@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "makes self-hosting images of static web sites")
set(CPACK_PACKAGE_DESCRIPTION "A static web site goes in; a machine that serves it comes out:
a static Unix program, or a guest of QEMU, KVM, Firecracker or Xen.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION web)
# Images are linked by the C++ compiler, statically: its libstdc++ and glibc's archive.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "g++ (>= 4:12), libc6-dev")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS qemu-system-x86)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_STRIP_FILES OFF)  # names and line numbers are for backtraces, and archives need symbols
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION share/doc/crunch RENAME copyright)
include(CPack)
