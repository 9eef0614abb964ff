// Generated from schema/ by `npm run generate`. Do not edit.

import type { Schema } from "./bridge/validate.js";

/** The schema of each method's parameters. */
export const PARAM_SCHEMAS = {
  "initialize": {
    "$ref": "#/$defs/InitializeParams"
  },
  "ping": {
    "$ref": "#/$defs/Empty"
  },
  "status": {
    "$ref": "#/$defs/Empty"
  },
  "shutdown": {
    "$ref": "#/$defs/Empty"
  },
  "exit": {
    "$ref": "#/$defs/Empty"
  },
  "rpc.discover": {
    "$ref": "#/$defs/Empty"
  },
  "$/cancelRequest": {
    "$ref": "#/$defs/CancelRequestParams"
  },
  "cancel": {
    "$ref": "#/$defs/CancelParams"
  },
  "list_models": {
    "$ref": "#/$defs/Empty"
  },
  "load_model": {
    "$ref": "#/$defs/LoadModelParams"
  },
  "unload_model": {
    "$ref": "#/$defs/Empty"
  },
  "vram_report": {
    "$ref": "#/$defs/VramReportParams"
  },
  "set_low_vram": {
    "$ref": "#/$defs/SetLowVramParams"
  },
  "list_loras": {
    "$ref": "#/$defs/ListLorasParams"
  },
  "switch_lora": {
    "$ref": "#/$defs/SwitchLoraParams"
  },
  "set_alpha": {
    "$ref": "#/$defs/SetAlphaParams"
  },
  "inspect_lora": {
    "$ref": "#/$defs/InspectLoraParams"
  },
  "scan_lora": {
    "$ref": "#/$defs/ScanLoraParams"
  },
  "check_conflicts": {
    "$ref": "#/$defs/CheckConflictsParams"
  },
  "merge_prompt": {
    "$ref": "#/$defs/MergePromptParams"
  },
  "preview": {
    "$ref": "#/$defs/PreviewParams"
  },
  "generate": {
    "$ref": "#/$defs/GenerateParams"
  },
  "enhance": {
    "$ref": "#/$defs/EnhanceParams"
  },
  "upscale": {
    "$ref": "#/$defs/UpscaleParams"
  },
  "history_list": {
    "$ref": "#/$defs/HistoryListParams"
  },
  "history_get": {
    "$ref": "#/$defs/HistoryIdParams"
  },
  "history_pin": {
    "$ref": "#/$defs/HistoryPinParams"
  },
  "history_delete": {
    "$ref": "#/$defs/HistoryIdParams"
  },
  "history_clear": {
    "$ref": "#/$defs/HistoryClearParams"
  },
  "history_rollback": {
    "$ref": "#/$defs/RollbackParams"
  },
  "repeat": {
    "$ref": "#/$defs/RepeatParams"
  }
} as const satisfies Record<string, Schema>;

/** What those refer to. */
export const PARAM_DEFINITIONS = {
  "CancelParams": {
    "additionalProperties": false,
    "properties": {
      "job_id": {
        "type": "string"
      }
    },
    "required": [
      "job_id"
    ],
    "type": "object"
  },
  "CancelRequestParams": {
    "additionalProperties": false,
    "properties": {
      "id": {
        "anyOf": [
          {
            "type": "integer"
          },
          {
            "type": "string"
          }
        ]
      }
    },
    "required": [
      "id"
    ],
    "type": "object"
  },
  "CheckConflictsParams": {
    "additionalProperties": false,
    "properties": {
      "loras": {
        "items": {
          "$ref": "#/$defs/LoraRef"
        },
        "maxItems": 16,
        "type": "array"
      }
    },
    "required": [
      "loras"
    ],
    "type": "object"
  },
  "Checks": {
    "additionalProperties": false,
    "properties": {
      "nsfw": {
        "anyOf": [
          {
            "enum": [
              "off",
              "warn",
              "block"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "codes": {
        "anyOf": [
          {
            "enum": [
              "off",
              "warn",
              "block"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "text": {
        "anyOf": [
          {
            "enum": [
              "off",
              "warn",
              "block"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "nsfw_threshold": {
        "anyOf": [
          {
            "exclusiveMaximum": 1,
            "exclusiveMinimum": 0,
            "type": "number"
          },
          {
            "type": "null"
          }
        ]
      }
    },
    "type": "object"
  },
  "ClientInfo": {
    "additionalProperties": false,
    "properties": {
      "name": {
        "type": "string"
      },
      "version": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      }
    },
    "required": [
      "name"
    ],
    "type": "object"
  },
  "Empty": {
    "additionalProperties": false,
    "properties": {},
    "type": "object"
  },
  "EnhanceParams": {
    "additionalProperties": false,
    "properties": {
      "image": {
        "$ref": "#/$defs/ImageIn"
      },
      "scale": {
        "maximum": 4,
        "minimum": 1,
        "type": "integer"
      },
      "path": {
        "enum": [
          "auto",
          "diffusion",
          "onnx"
        ],
        "type": "string"
      },
      "lora": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "alpha": {
        "anyOf": [
          {
            "maximum": 2,
            "minimum": -2,
            "type": "number"
          },
          {
            "type": "null"
          }
        ]
      },
      "prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "negative_prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "strength": {
        "exclusiveMinimum": 0,
        "maximum": 1,
        "type": "number"
      },
      "steps": {
        "maximum": 150,
        "minimum": 1,
        "type": "integer"
      },
      "guidance_scale": {
        "anyOf": [
          {
            "maximum": 50,
            "minimum": 0,
            "type": "number"
          },
          {
            "type": "null"
          }
        ]
      },
      "sampler": {
        "enum": [
          "dpmpp_2m",
          "dpmpp_2m_karras",
          "euler",
          "euler_a",
          "ddim",
          "unipc",
          "lcm"
        ],
        "type": "string"
      },
      "seed": {
        "anyOf": [
          {
            "maximum": 9007199254740991,
            "minimum": 0,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "upscaler": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "anyway": {
        "type": "boolean"
      },
      "checks": {
        "anyOf": [
          {
            "$ref": "#/$defs/Checks"
          },
          {
            "type": "null"
          }
        ]
      },
      "allow_suspicious": {
        "type": "boolean"
      },
      "delivery": {
        "enum": [
          "file",
          "inline",
          "both"
        ],
        "type": "string"
      }
    },
    "required": [
      "image"
    ],
    "type": "object"
  },
  "GenerateParams": {
    "additionalProperties": false,
    "properties": {
      "prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "negative_prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "width": {
        "anyOf": [
          {
            "maximum": 4096,
            "minimum": 64,
            "multipleOf": 8,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "height": {
        "anyOf": [
          {
            "maximum": 4096,
            "minimum": 64,
            "multipleOf": 8,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "steps": {
        "anyOf": [
          {
            "maximum": 150,
            "minimum": 1,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "guidance_scale": {
        "anyOf": [
          {
            "maximum": 50,
            "minimum": 0,
            "type": "number"
          },
          {
            "type": "null"
          }
        ]
      },
      "sampler": {
        "anyOf": [
          {
            "enum": [
              "dpmpp_2m",
              "dpmpp_2m_karras",
              "euler",
              "euler_a",
              "ddim",
              "unipc",
              "lcm"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "seed": {
        "anyOf": [
          {
            "maximum": 9007199254740991,
            "minimum": 0,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "init_image": {
        "anyOf": [
          {
            "$ref": "#/$defs/ImageIn"
          },
          {
            "type": "null"
          }
        ]
      },
      "strength": {
        "exclusiveMinimum": 0,
        "maximum": 1,
        "type": "number"
      },
      "loras": {
        "anyOf": [
          {
            "items": {
              "$ref": "#/$defs/LoraRef"
            },
            "maxItems": 16,
            "type": "array"
          },
          {
            "type": "null"
          }
        ]
      },
      "style": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "checks": {
        "anyOf": [
          {
            "$ref": "#/$defs/Checks"
          },
          {
            "type": "null"
          }
        ]
      },
      "allow_suspicious": {
        "type": "boolean"
      },
      "allow_conflict": {
        "type": "boolean"
      },
      "count": {
        "maximum": 64,
        "minimum": 1,
        "type": "integer"
      },
      "upscale": {
        "anyOf": [
          {
            "enum": [
              1,
              2,
              4
            ],
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "upscaler": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "delivery": {
        "enum": [
          "file",
          "inline",
          "both"
        ],
        "type": "string"
      }
    },
    "required": [
      "prompt"
    ],
    "type": "object"
  },
  "HistoryClearParams": {
    "additionalProperties": false,
    "properties": {
      "include_pinned": {
        "type": "boolean"
      }
    },
    "type": "object"
  },
  "HistoryIdParams": {
    "additionalProperties": false,
    "properties": {
      "id": {
        "type": "string"
      }
    },
    "required": [
      "id"
    ],
    "type": "object"
  },
  "HistoryListParams": {
    "additionalProperties": false,
    "properties": {
      "limit": {
        "maximum": 500,
        "minimum": 1,
        "type": "integer"
      },
      "offset": {
        "minimum": 0,
        "type": "integer"
      }
    },
    "type": "object"
  },
  "HistoryPinParams": {
    "additionalProperties": false,
    "properties": {
      "id": {
        "type": "string"
      },
      "pinned": {
        "type": "boolean"
      }
    },
    "required": [
      "id"
    ],
    "type": "object"
  },
  "ImageIn": {
    "additionalProperties": false,
    "properties": {
      "path": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "data_url": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      }
    },
    "type": "object"
  },
  "InitializeParams": {
    "additionalProperties": false,
    "properties": {
      "client": {
        "anyOf": [
          {
            "$ref": "#/$defs/ClientInfo"
          },
          {
            "type": "null"
          }
        ]
      },
      "locale": {
        "enum": [
          "en",
          "zh-CN"
        ],
        "type": "string"
      },
      "protocol_version": {
        "anyOf": [
          {
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      }
    },
    "type": "object"
  },
  "InspectLoraParams": {
    "additionalProperties": false,
    "properties": {
      "name": {
        "maxLength": 255,
        "minLength": 1,
        "type": "string"
      }
    },
    "required": [
      "name"
    ],
    "type": "object"
  },
  "ListLorasParams": {
    "additionalProperties": false,
    "properties": {
      "previews": {
        "type": "boolean"
      }
    },
    "type": "object"
  },
  "LoadModelParams": {
    "additionalProperties": false,
    "properties": {
      "model": {
        "minLength": 1,
        "type": "string"
      },
      "vae": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "dtype": {
        "enum": [
          "auto",
          "float32",
          "float16",
          "bfloat16"
        ],
        "type": "string"
      },
      "low_vram": {
        "enum": [
          "auto",
          "off",
          "balanced",
          "aggressive"
        ],
        "type": "string"
      },
      "no_half_vae": {
        "type": "boolean"
      }
    },
    "required": [
      "model"
    ],
    "type": "object"
  },
  "LoraRef": {
    "additionalProperties": false,
    "properties": {
      "name": {
        "maxLength": 255,
        "minLength": 1,
        "type": "string"
      },
      "alpha": {
        "maximum": 2,
        "minimum": -2,
        "type": "number"
      }
    },
    "required": [
      "name"
    ],
    "type": "object"
  },
  "MergePromptParams": {
    "additionalProperties": false,
    "properties": {
      "prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "negative_prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "style": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "former_style": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      }
    },
    "required": [
      "prompt",
      "style"
    ],
    "type": "object"
  },
  "PreviewParams": {
    "additionalProperties": false,
    "properties": {
      "prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "negative_prompt": {
        "maxLength": 8192,
        "type": "string"
      },
      "width": {
        "anyOf": [
          {
            "maximum": 4096,
            "minimum": 64,
            "multipleOf": 8,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "height": {
        "anyOf": [
          {
            "maximum": 4096,
            "minimum": 64,
            "multipleOf": 8,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "steps": {
        "anyOf": [
          {
            "maximum": 150,
            "minimum": 1,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "guidance_scale": {
        "anyOf": [
          {
            "maximum": 50,
            "minimum": 0,
            "type": "number"
          },
          {
            "type": "null"
          }
        ]
      },
      "sampler": {
        "anyOf": [
          {
            "enum": [
              "dpmpp_2m",
              "dpmpp_2m_karras",
              "euler",
              "euler_a",
              "ddim",
              "unipc",
              "lcm"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "seed": {
        "anyOf": [
          {
            "maximum": 9007199254740991,
            "minimum": 0,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "init_image": {
        "anyOf": [
          {
            "$ref": "#/$defs/ImageIn"
          },
          {
            "type": "null"
          }
        ]
      },
      "strength": {
        "exclusiveMinimum": 0,
        "maximum": 1,
        "type": "number"
      },
      "loras": {
        "anyOf": [
          {
            "items": {
              "$ref": "#/$defs/LoraRef"
            },
            "maxItems": 16,
            "type": "array"
          },
          {
            "type": "null"
          }
        ]
      },
      "style": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "checks": {
        "anyOf": [
          {
            "$ref": "#/$defs/Checks"
          },
          {
            "type": "null"
          }
        ]
      },
      "allow_suspicious": {
        "type": "boolean"
      },
      "allow_conflict": {
        "type": "boolean"
      },
      "session": {
        "maxLength": 128,
        "type": "string"
      }
    },
    "required": [
      "prompt"
    ],
    "type": "object"
  },
  "RepeatParams": {
    "additionalProperties": false,
    "properties": {
      "id": {
        "type": "string"
      },
      "prompt": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "negative_prompt": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "width": {
        "anyOf": [
          {
            "maximum": 4096,
            "minimum": 64,
            "multipleOf": 8,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "height": {
        "anyOf": [
          {
            "maximum": 4096,
            "minimum": 64,
            "multipleOf": 8,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "steps": {
        "anyOf": [
          {
            "maximum": 150,
            "minimum": 1,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "guidance_scale": {
        "anyOf": [
          {
            "maximum": 50,
            "minimum": 0,
            "type": "number"
          },
          {
            "type": "null"
          }
        ]
      },
      "sampler": {
        "anyOf": [
          {
            "enum": [
              "dpmpp_2m",
              "dpmpp_2m_karras",
              "euler",
              "euler_a",
              "ddim",
              "unipc",
              "lcm"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "seed": {
        "anyOf": [
          {
            "maximum": 9007199254740991,
            "minimum": 0,
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "loras": {
        "anyOf": [
          {
            "items": {
              "$ref": "#/$defs/LoraRef"
            },
            "type": "array"
          },
          {
            "type": "null"
          }
        ]
      },
      "style": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "allow_suspicious": {
        "type": "boolean"
      },
      "allow_conflict": {
        "type": "boolean"
      },
      "init_image": {
        "anyOf": [
          {
            "$ref": "#/$defs/ImageIn"
          },
          {
            "type": "null"
          }
        ]
      },
      "strength": {
        "anyOf": [
          {
            "exclusiveMinimum": 0,
            "maximum": 1,
            "type": "number"
          },
          {
            "type": "null"
          }
        ]
      },
      "upscale": {
        "anyOf": [
          {
            "enum": [
              1,
              2,
              4
            ],
            "type": "integer"
          },
          {
            "type": "null"
          }
        ]
      },
      "upscaler": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "checks": {
        "anyOf": [
          {
            "$ref": "#/$defs/Checks"
          },
          {
            "type": "null"
          }
        ]
      },
      "count": {
        "maximum": 64,
        "minimum": 1,
        "type": "integer"
      },
      "delivery": {
        "enum": [
          "file",
          "inline",
          "both"
        ],
        "type": "string"
      }
    },
    "required": [
      "id"
    ],
    "type": "object"
  },
  "RollbackParams": {
    "additionalProperties": false,
    "properties": {
      "id": {
        "type": "string"
      },
      "inline": {
        "type": "boolean"
      }
    },
    "required": [
      "id"
    ],
    "type": "object"
  },
  "ScanLoraParams": {
    "additionalProperties": false,
    "properties": {
      "path": {
        "maxLength": 4096,
        "minLength": 1,
        "type": "string"
      }
    },
    "required": [
      "path"
    ],
    "type": "object"
  },
  "SetAlphaParams": {
    "additionalProperties": false,
    "properties": {
      "alpha": {
        "maximum": 2,
        "minimum": -2,
        "type": "number"
      },
      "name": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "allow_conflict": {
        "type": "boolean"
      }
    },
    "required": [
      "alpha"
    ],
    "type": "object"
  },
  "SetLowVramParams": {
    "additionalProperties": false,
    "properties": {
      "mode": {
        "enum": [
          "auto",
          "off",
          "balanced",
          "aggressive"
        ],
        "type": "string"
      }
    },
    "required": [
      "mode"
    ],
    "type": "object"
  },
  "SwitchLoraParams": {
    "additionalProperties": false,
    "properties": {
      "name": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "alpha": {
        "maximum": 2,
        "minimum": -2,
        "type": "number"
      },
      "loras": {
        "anyOf": [
          {
            "items": {
              "$ref": "#/$defs/LoraRef"
            },
            "maxItems": 16,
            "type": "array"
          },
          {
            "type": "null"
          }
        ]
      },
      "allow_suspicious": {
        "type": "boolean"
      },
      "allow_conflict": {
        "type": "boolean"
      }
    },
    "type": "object"
  },
  "UpscaleParams": {
    "additionalProperties": false,
    "properties": {
      "image": {
        "$ref": "#/$defs/ImageIn"
      },
      "scale": {
        "maximum": 4,
        "minimum": 2,
        "type": "integer"
      },
      "model": {
        "anyOf": [
          {
            "maxLength": 255,
            "type": "string"
          },
          {
            "type": "null"
          }
        ]
      },
      "checks": {
        "anyOf": [
          {
            "$ref": "#/$defs/Checks"
          },
          {
            "type": "null"
          }
        ]
      },
      "delivery": {
        "enum": [
          "file",
          "inline",
          "both"
        ],
        "type": "string"
      }
    },
    "required": [
      "image"
    ],
    "type": "object"
  },
  "VramReportParams": {
    "additionalProperties": false,
    "properties": {
      "for": {
        "anyOf": [
          {
            "$ref": "#/$defs/GenerateParams"
          },
          {
            "type": "null"
          }
        ]
      }
    },
    "type": "object"
  }
} as const satisfies Record<string, Schema>;
