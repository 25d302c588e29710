# What `cmake --install` puts in place: the command, the shared library, its headers, and what find_package(roux) reads.
# In the tree a public header includes others by their paths from the root ("base/result.h"); installed they lie below
# include/roux/ and say so ("roux/base/result.h").
include(CMakePackageConfigHelpers)

set(public_headers
  api/analysis.h
  api/checkpoint.h
  api/roux.h
  api/session.h
  base/diagnostic.h
  base/diagnostic_kinds.def
  base/host_model.h
  base/method_document.h
  base/result.h
  base/source.h
)
set(installed_headers ${PROJECT_BINARY_DIR}/installed/include)
foreach(header IN LISTS public_headers)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
  file(READ ${header} text)
  string(REPLACE "#include \"base/" "#include \"roux/base/" text "${text}")
  string(REPLACE "#include \"api/" "#include \"roux/" text "${text}")
  string(REGEX REPLACE "^api/" "" place ${header})
  file(CONFIGURE OUTPUT ${installed_headers}/roux/${place} CONTENT "${text}" @ONLY)
endforeach()
file(COPY ${PROJECT_SOURCE_DIR}/api/c/roux.h DESTINATION ${installed_headers}/roux-c)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/api/c/roux.h)

# roux::c is the library as a program in C links it; roux::roux the same for C++, with the standard that its headers need.
set_target_properties(roux_shared PROPERTIES EXPORT_NAME c)
target_include_directories(roux_shared INTERFACE
  $<BUILD_INTERFACE:${installed_headers}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
add_library(roux_cpp INTERFACE)
set_target_properties(roux_cpp PROPERTIES EXPORT_NAME roux)
target_link_libraries(roux_cpp INTERFACE roux_shared)
target_compile_features(roux_cpp INTERFACE cxx_std_20)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/roux)
configure_package_config_file(cmake/roux-config.cmake.in ${PROJECT_BINARY_DIR}/installed/roux-config.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/installed/roux-config-version.cmake
  COMPATIBILITY SameMinorVersion)  # before 1.0 each minor version may break

install(TARGETS roux)
install(TARGETS roux_shared roux_cpp EXPORT roux-targets)
install(EXPORT roux-targets NAMESPACE roux:: DESTINATION ${package_folder})
install(DIRECTORY ${installed_headers}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_BINARY_DIR}/installed/roux-config.cmake ${PROJECT_BINARY_DIR}/installed/roux-config-version.cmake
  DESTINATION ${package_folder})
