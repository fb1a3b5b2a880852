package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.Device;
import dev.stubpool.kernel.file.DeviceFile;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;

/** The node of a device. */
record DeviceNode(Device device) implements Node.File {
  @Override
  public FileStatus status() {
    return device.status();
  }

  @Override
  public FileSystem fileSystem() {
    return FileSystem.DEVICES;
  }

  @Override
  public OpenFile open(Location here, int flags) {
    return new DeviceFile(here.path(), flags, device);
  }
}
