import { type Fingerprint, headOf, type Rule, sentence } from '../fingerprint';

/** The YOLO models of Ultralytics and their relatives: `model.N` layers with `conv` and `bn`. */
const yolo: Rule = (f) => {
  const root = f.has('model.#.conv.weight', 'model.#.bn.weight')
    ? 'model.'
    : f.has('#.conv.weight', '#.bn.weight')
      ? ''
      : undefined;
  if (root === undefined || f.share(`${root}#.`) < 0.9) return undefined;
  const layers = layerCount(f, root);
  const last = `${layers} layers with parameters`;
  const at = (name: string) => f.has(`${root}#.${name}`);
  if (at('dfl.conv.weight')) {
    const index = headIndex(f, root, 'dfl.conv.weight');
    const end = at('one2one_cv2.#.#.conv.weight') ? '10' : version(f, root, index);
    const task = at('proto.cv1.conv.weight')
      ? ', segmentation'
      : at('cv4.#.#.conv.weight')
        ? ', with a further head (pose or boxes)'
        : '';
    return {
      name: end ? `YOLO${Number(end) > 10 ? '' : 'v'}${end}` : 'YOLO (v8 or later)',
      evidence: sentence(
        `${root}N.conv and a head with distribution focal loss at ${root}${index}${task}`,
        last,
        classesOf(f, root, index),
      ),
    };
  }
  if (at('one2one_cv2.#.#.conv.weight') && at('one2one_cv3.#.#.#.conv.weight')) {
    const index = headIndex(f, root, 'one2one_cv2.0.0.conv.weight');
    return {
      name: 'YOLO26',
      evidence: sentence(
        `${root}N.conv and a one-to-one head without distribution focal loss at ${root}${index}`,
        last,
        classesOf(f, root, index),
      ),
    };
  }
  if (at('anchors') || at('anchor_grid')) {
    const seven = at('im.#.implicit') || at('ia.#.implicit') || at('rbr_reparam.weight') || at('rbr_dense.#.weight');
    const five = f.any(`${root}#.cv1.conv.weight`) && f.any(`${root}#.m.#.weight`);
    if (!seven && !five) return undefined;
    const index = headIndex(f, root, 'anchors');
    const output = f.shape(`${root}${index}.m.0.weight`)?.[0];
    const anchors = f.shape(`${root}${index}.anchors`)?.[1];
    const classes = output && anchors ? output / anchors - 5 : undefined;
    return {
      name: seven ? 'YOLOv7' : 'YOLOv5',
      evidence: sentence(
        `${root}N.conv and a head with anchors (${root}${index}.anchors)`,
        last,
        classes !== undefined && Number.isInteger(classes) && classes > 0 ? `${classes} classes` : undefined,
      ),
    };
  }
  if (at('linear.weight') && at('cv1.conv.weight') && at('m.#.cv1.conv.weight'))
    return {
      name: 'YOLO classifier',
      evidence: sentence(
        `${root}N.conv and a linear head as in Ultralytics`,
        last,
        ...headOf(f, `${root}#.linear.weight`),
      ),
    };
  return undefined;
};

function layerCount(f: Fingerprint, root: string): number {
  let last = -1;
  for (let i = 0; i < 200; i++) if (anyAt(f, `${root}${i}.`)) last = i;
  return last + 1;
}

function anyAt(f: Fingerprint, prefix: string): boolean {
  return [
    'conv.weight',
    'cv1.conv.weight',
    'cv2.0.0.conv.weight',
    'cv2.conv.weight',
    'm.0.weight',
    'dfl.conv.weight',
    'linear.weight',
    'anchors',
  ].some((name) => f.shape(prefix + name));
}

function headIndex(f: Fingerprint, root: string, name: string): number | undefined {
  for (let i = 0; i < 200; i++) if (f.shape(`${root}${i}.${name}`)) return i;
  return undefined;
}

/** Version of a model with `dfl`, where its blocks tell. Source: the model definitions of Ultralytics (`cfg/models`). */
function version(f: Fingerprint, root: string, head: number | undefined): string | undefined {
  const at = (name: string) => f.shape(root + name) !== undefined;
  // The classes are predicted by depthwise convolutions from version 11 on.
  const separable = head !== undefined && at(`${head}.cv3.0.0.0.conv.weight`);
  if (head === 22 && !separable && at('2.m.0.cv1.conv.weight') && at('9.cv1.conv.weight') && !at('2.cv3.conv.weight'))
    return '8';
  if (head === 23 && separable && at('10.m.0.attn.qkv.conv.weight')) return '11';
  if (head === 21 && separable && at('6.m.0.0.attn.qkv.conv.weight')) return '12';
  return undefined;
}

function classesOf(f: Fingerprint, root: string, head: number | undefined): string | undefined {
  const classes = f.shape(`${root}${head}.cv3.0.2.weight`)?.[0];
  return classes === undefined ? undefined : `${classes} classes`;
}

const others: Rule = (f) => {
  if (f.has('backbone.backbone.stem.conv.conv.weight', 'head.cls_preds.#.weight', 'head.obj_preds.#.weight'))
    return {
      name: 'YOLOX',
      evidence: sentence(
        'backbone.backbone.stem, head.cls_preds, reg_preds and obj_preds',
        `${f.shape('head.cls_preds.#.weight')?.[0]} classes`,
      ),
    };
  if (
    f.has(
      'transformer.encoder.layers.#.self_attn.in_proj_weight',
      'query_embed.weight',
      'class_embed.weight',
      'bbox_embed.layers.#.weight',
      'input_proj.weight',
    )
  )
    return {
      name: 'DETR',
      evidence: sentence(
        'transformer, query_embed, class_embed and bbox_embed as in the original release',
        `${f.shape('query_embed.weight')?.[0]} queries`,
        `${(f.shape('class_embed.weight')?.[0] ?? 1) - 1} classes`,
      ),
    };
  if (
    f.has(
      'model.query_position_embeddings.weight',
      'class_labels_classifier.weight',
      'bbox_predictor.layers.#.weight',
      'model.decoder.layers.#.encoder_attn.q_proj.weight',
    ) ||
    f.has(
      'model.query_position_embeddings.weight',
      'class_labels_classifier.weight',
      'bbox_predictor.layers.#.weight',
      'model.encoder.layers.#.self_attn.q_proj.weight',
    )
  )
    return f.has('model.input_projection.weight') && f.has('model.backbone.conv_encoder.model.layer1.#.conv1.weight')
      ? {
          name: 'DETR',
          evidence: sentence(
            'query_position_embeddings, class_labels_classifier and bbox_predictor as in transformers',
            `${f.shape('model.query_position_embeddings.weight')?.[0]} queries`,
          ),
        }
      : undefined;
  if (f.has('rpn.head.cls_logits.weight', 'roi_heads.box_predictor.cls_score.weight')) {
    const name = f.has('roi_heads.mask_predictor.mask_fcn_logits.weight')
      ? 'Mask R-CNN'
      : f.has('roi_heads.keypoint_predictor.kps_score_lowres.weight')
        ? 'Keypoint R-CNN'
        : 'Faster R-CNN';
    return { name, evidence: sentence('rpn.head and roi_heads as in torchvision', ...boxes(f)) };
  }
  if (
    f.has(
      'backbone.fpn.inner_blocks.#.#.weight',
      'head.classification_head.cls_logits.weight',
      'head.regression_head.bbox_reg.weight',
    )
  )
    return {
      name: f.has('head.regression_head.bbox_ctrness.weight') ? 'FCOS' : 'RetinaNet',
      evidence: sentence(
        'backbone.fpn and head.classification_head as in torchvision',
        `${f.shape('head.classification_head.cls_logits.weight')?.[0]} outputs of the classifier`,
      ),
    };
  if (
    f.any('head.classification_head.module_list.#.weight', 'head.classification_head.module_list.#.#.weight') &&
    f.any('head.regression_head.module_list.#.weight', 'head.regression_head.module_list.#.#.weight')
  )
    return {
      name: f.has('backbone.scale_weight') ? 'SSD' : 'SSDlite',
      evidence: sentence('head.classification_head.module_list as in torchvision'),
    };
  if (f.has('backbone.layer1.#.conv1.weight', 'classifier.#.convs.#.#.weight'))
    return {
      name: 'DeepLabV3',
      evidence: sentence(
        'backbone of ResNet layers and an atrous pyramid in classifier.0.convs as in torchvision',
        `${f.shape('classifier.4.weight')?.[0]} classes`,
      ),
    };
  if (
    f.has('backbone.layer1.#.conv1.weight', 'classifier.#.weight') &&
    f.shape('classifier.4.weight')?.length === 4 &&
    f.shape('classifier.0.weight')?.length === 4
  )
    return {
      name: 'FCN',
      evidence: sentence(
        'backbone of ResNet layers and a convolutional classifier as in torchvision',
        `${f.shape('classifier.4.weight')?.[0]} classes`,
      ),
    };
  if (f.has('classifier.cbr.#.weight', 'classifier.low_classifier.weight', 'classifier.high_classifier.weight'))
    return {
      name: 'LR-ASPP',
      evidence: sentence(
        'classifier.cbr, low_classifier and high_classifier as in torchvision',
        `${f.shape('classifier.high_classifier.weight')?.[0]} classes`,
      ),
    };
  if (f.has('feature_encoder.convnormrelu.#.weight', 'update_block.motion_encoder.convcorr1.#.weight'))
    return { name: 'RAFT', evidence: sentence('feature_encoder, context_encoder and update_block as in torchvision') };
  return undefined;
};

function boxes(f: Fingerprint): string[] {
  const classes = f.shape('roi_heads.box_predictor.cls_score.weight')?.[0];
  return classes === undefined ? [] : [`${classes} classes with the background`];
}

/** Segmentation networks by the names that their usual implementations give them. */
const unets: Rule = (f) => {
  if (
    f.has(
      'inc.double_conv.#.weight',
      'down1.maxpool_conv.#.double_conv.#.weight',
      'up1.conv.double_conv.#.weight',
      'outc.conv.weight',
    )
  )
    return {
      name: 'U-Net',
      evidence: sentence(
        'inc, down1 to down4, up1 to up4 with double_conv, and outc',
        `${f.shape('inc.double_conv.0.weight')?.[1]} input channels`,
        `${f.shape('outc.conv.weight')?.[0]} classes`,
      ),
    };
  if (f.has('encoder1.enc1conv1.weight', 'bottleneck.bottleneckconv1.weight', 'decoder1.dec1conv1.weight'))
    return {
      name: 'U-Net',
      evidence: sentence('encoder1 to encoder4, bottleneck, upconv and decoder with named convolutions'),
    };
  return undefined;
};

/** Decoders of segmentation_models_pytorch by what only they have. Source: its `decoders` (0.3 to 0.6). */
const SMP: [string, string[]][] = [
  ['MAnet', ['decoder.blocks.#.hl_conv.#.#.weight', 'decoder.center.top_conv.weight']],
  ['U-Net++', ['decoder.blocks.x_0_0.conv1.#.weight', 'decoder.blocks.x_0_1.conv1.#.weight']],
  ['FPN', ['decoder.p5.weight', 'decoder.p4.skip_conv.weight', 'decoder.seg_blocks.#.block.#.block.#.weight']],
  ['DeepLabV3+', ['decoder.aspp.#.convs.#.#.weight', 'decoder.block1.#.weight', 'decoder.block2.#.weight']],
  ['LinkNet', ['decoder.blocks.#.block.#.#.weight']],
  ['PSPNet', ['decoder.psp.blocks.#.pool.#.#.weight', 'decoder.conv.#.weight']],
  ['U-Net', ['decoder.blocks.#.conv1.#.weight', 'decoder.blocks.#.conv2.#.weight']],
];

const segmentationModels: Rule = (f) => {
  const classes = f.shape('segmentation_head.0.weight')?.[0];
  if (classes === undefined || !f.has('segmentation_head.#.weight') || f.share('encoder.') < 0.2) return undefined;
  const found = SMP.find(([, names]) => f.has(...names));
  if (!found) return undefined;
  const [name, names] = found;
  // Parts of a decoder that none of these has.
  if (name === 'U-Net' && f.others('decoder.', 'blocks.', /^blocks\.#\.(conv[12]|attention[12])\./)) return undefined;
  return {
    name: `${name} (segmentation_models_pytorch)`,
    evidence: sentence(
      `encoder, segmentation_head and ${names[0].replace(/\.#/g, '.N').replace('.weight', '')}`,
      `${classes} classes`,
    ),
  };
};

export const DETECTION: Rule[] = [yolo, others, unets, segmentationModels];
