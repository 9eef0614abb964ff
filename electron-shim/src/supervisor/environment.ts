/**
 * Variables of this process that a sidecar may see. Everything else stays here: an app's tokens are
 * none of its business, and ELECTRON_RUN_AS_NODE, NODE_OPTIONS or PYTHONPATH would change what runs.
 */
const ALLOWED = [
  // where things are
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "TMPDIR",
  "TEMP",
  "TMP",
  "XDG_*",
  "SystemRoot",
  "SystemDrive",
  "windir",
  "ComSpec",
  "PATHEXT",
  "USERPROFILE",
  "USERNAME",
  "APPDATA",
  "LOCALAPPDATA",
  "ProgramData",
  "ProgramFiles*",
  "NUMBER_OF_PROCESSORS",
  "PROCESSOR_ARCHITECTURE",
  "LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
  // language and time
  "LANG",
  "LANGUAGE",
  "LC_*",
  "TZ",
  // computing
  "CUDA_*",
  "NVIDIA_*",
  "HIP_*",
  "ROCR_*",
  "HSA_*",
  "PYTORCH_*",
  "OMP_*",
  "MKL_*",
  "OPENBLAS_*",
  "KMP_*",
];

/** The environment of the child: allowed variables, then `extra`. Names compare as the system does. */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>> = {},
  allow: readonly string[] = [],
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const fold = (name: string): string => (platform === "win32" ? name.toUpperCase() : name);
  const patterns = [...ALLOWED, ...allow].map(fold);
  const allowed = (name: string): boolean =>
    patterns.some((pattern) =>
      pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    );
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && allowed(fold(name))) kept[name] = value;
  }
  return { ...kept, ...extra };
}
