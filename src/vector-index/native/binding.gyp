# Both builds of the addon: plain=1 for every processor, avx2=1 for those with AVX2, FMA and F16C; src/install/build-native.js says which.
# One file is compiled; hnswlib's headers are put beside it, the C++ wrapper of Node's API is found by NODE_PATH.
{
  "variables": { "plain%": 1, "avx2%": 0 },
  "target_defaults": {
    "sources": ["graph.cc"],
    "include_dirs": ["hnswlib", "<!(node -p \"require('node-addon-api').include_dir\")"],
    "defines": [
      "NAPI_CPP_EXCEPTIONS",
      "NODE_ADDON_API_CPP_EXCEPTIONS_ALL",
      "NAPI_VERSION=8",
      # Reading or writing may end after its thread was told to end: the promise cannot be settled then, and that must not end the process.
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
    ],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions"],
    "cflags_cc": ["-O3", "-ffp-contract=off", "-fvisibility=hidden"],
    "xcode_settings": {
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "GCC_OPTIMIZATION_LEVEL": "3",
      "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off"]
    },
    "msvs_settings": { "VCCLCompilerTool": { "ExceptionHandling": 1 } }
  },
  "targets": [],
  "conditions": [
    ["plain==1", { "targets": [{ "target_name": "graph-plain" }] }],
    ["avx2==1", {
      "targets": [
        {
          "target_name": "graph-avx2",
          "cflags_cc": ["-mavx2", "-mfma", "-mf16c"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mf16c"] }
        }
      ]
    }]
  ]
}
