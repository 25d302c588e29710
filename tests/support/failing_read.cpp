// To be loaded before the C library (LD_PRELOAD): reads of a file whose path ends in $FAILING_READ fail as those of a
// broken disk do, from byte $FAILING_FROM on.
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>

namespace {

bool is_broken(int fd, off64_t end) {
  const char* ending = getenv("FAILING_READ");
  const char* from = getenv("FAILING_FROM");
  if (!ending || !from || end <= atoll(from)) return false;
  char path[4096];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return size > 0 && std::string(path, static_cast<std::size_t>(size)).ends_with(ending);
}

using Read = ssize_t (*)(int, void*, size_t, off64_t);

ssize_t read_with(const char* name, int fd, void* to, size_t size, off64_t offset) {
  if (is_broken(fd, offset + static_cast<off64_t>(size))) {
    errno = EIO;
    return -1;
  }
  return reinterpret_cast<Read>(dlsym(RTLD_NEXT, name))(fd, to, size, offset);
}

}  // namespace

extern "C" ssize_t pread(int fd, void* to, size_t size, off_t offset) { return read_with("pread", fd, to, size, offset); }
extern "C" ssize_t pread64(int fd, void* to, size_t size, off64_t offset) {
  return read_with("pread64", fd, to, size, offset);
}
extern "C" ssize_t preadv2(int fd, const iovec* to, int count, off_t offset, int flags) {
  off64_t end = offset;
  for (int i = 0; i < count; ++i) end += static_cast<off64_t>(to[i].iov_len);
  if (is_broken(fd, end)) {
    errno = EIO;
    return -1;
  }
  using ReadMany = ssize_t (*)(int, const iovec*, int, off_t, int);
  return reinterpret_cast<ReadMany>(dlsym(RTLD_NEXT, "preadv2"))(fd, to, count, offset, flags);
}
extern "C" ssize_t preadv64v2(int fd, const iovec* to, int count, off64_t offset, int flags) {
  return preadv2(fd, to, count, offset, flags);
}
