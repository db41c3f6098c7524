import { type Fingerprint, headOf, type Rule, sentence } from '../fingerprint';

/** Output channels of the convolutions of VGG. Source: torchvision `models/vgg.py`. */
const VGG: Record<string, string> = {
  '64,128,256,256,512,512,512,512': '11',
  '64,64,128,128,256,256,512,512,512,512': '13',
  '64,64,128,128,256,256,256,512,512,512,512,512,512': '16',
  '64,64,128,128,256,256,256,256,512,512,512,512,512,512,512,512': '19',
};

/** Shapes of the numbered convolutions in `features`, in order. */
function features(f: Fingerprint): (readonly number[])[] {
  const out: (readonly number[])[] = [];
  for (let i = 0; i < 64; i++) {
    const shape = f.shape(`features.${i}.weight`);
    if (shape?.length === 4) out.push(shape);
  }
  return out;
}

const vgg: Rule = (f) => {
  if (!f.has('features.#.weight')) return undefined;
  const convs = features(f);
  const depth = VGG[convs.map((s) => s[0]).join(',')];
  if (depth === undefined || convs.some((s) => s[2] !== 3)) return undefined;
  const norms = f.has('features.#.running_mean') ? ' with batch norm' : '';
  const classifier = f.has('classifier.#.weight') && f.shape('classifier.6.weight');
  const head = classifier ? headOf(f, 'classifier.6.weight') : ['no classifier as in torchvision'];
  return {
    name: `VGG-${depth}${norms}`,
    evidence: sentence(
      'features.N as in torchvision',
      `${convs.length} convolutions of 3×3 with the channels of VGG-${depth}`,
      ...head,
    ),
  };
};

const alexnet: Rule = (f) => {
  const convs = features(f);
  if (convs.length !== 5 || convs[0][2] !== 11 || convs[1][2] !== 5 || !f.shape('classifier.6.weight'))
    return undefined;
  return {
    name: 'AlexNet',
    evidence: sentence(
      'features.0, 3, 6, 8, 10 and classifier.1, 4, 6 as in torchvision',
      'kernels of 11×11, 5×5 and 3×3',
      ...headOf(f, 'classifier.6.weight'),
    ),
  };
};

const densenet: Rule = (f) => {
  if (!f.has('features.conv0.weight', 'features.norm5.weight')) return undefined;
  // Releases before 2019 named them `conv.1`.
  const part = f.has('features.denseblock1.denselayer1.conv1.weight')
    ? 'conv1'
    : f.has('features.denseblock1.denselayer1.conv.#.weight')
      ? 'conv.#'
      : undefined;
  if (part === undefined) return undefined;
  const blocks = [1, 2, 3, 4].map((block) => {
    let layers = 0;
    while (f.has(`features.denseblock${block}.denselayer${layers + 1}.${part}.weight`)) layers++;
    return layers;
  });
  const counted = 2 * blocks.reduce((a, b) => a + b, 0) + 5;
  // The largest one is named after one layer less.
  const depth = counted === 265 ? 264 : counted;
  return {
    name: `DenseNet-${depth}`,
    evidence: sentence(
      'features.denseblockN.denselayerM as in torchvision',
      `blocks of ${blocks.join(', ')} layers`,
      ...headOf(f, 'classifier.weight'),
    ),
  };
};

const mobilenets: Rule = (f) => {
  if (
    f.has('features.#.#.weight', 'features.#.conv.#.#.weight', 'features.#.conv.#.weight') &&
    f.shape('features.0.0.weight')?.[2] === 3
  )
    return {
      name: 'MobileNetV2',
      evidence: sentence(
        'features.N.conv as in torchvision',
        `${f.count('features.#.conv.#.weight') + 2} stages`,
        ...headOf(f, 'classifier.1.weight'),
      ),
    };
  if (
    f.has('features.#.#.weight', 'features.#.block.#.fc1.weight', 'features.#.block.#.#.weight') &&
    f.shape('classifier.3.weight')
  ) {
    const blocks = f.count('features.#.block.#.#.weight');
    const size = blocks === 15 ? ' Large' : blocks === 11 ? ' Small' : '';
    return {
      name: `MobileNetV3${size}`,
      evidence: sentence(
        'features.N.block with squeeze and excitation as in torchvision',
        `${blocks} blocks`,
        ...headOf(f, 'classifier.3.weight'),
      ),
    };
  }
  return undefined;
};

/** Blocks and width of the head → EfficientNet. Source: Tan and Le 2019, 2021; torchvision `models/efficientnet.py`. */
const EFFICIENTNETS: Record<string, string> = {
  '16 1280': 'B0',
  '23 1280': 'B1',
  '23 1408': 'B2',
  '26 1536': 'B3',
  '32 1792': 'B4',
  '39 2048': 'B5',
  '45 2304': 'B6',
  '55 2560': 'B7',
};
const EFFICIENTNETS_V2: Record<string, string> = { '40': 'V2-S', '57': 'V2-M', '79': 'V2-L' };

const efficientnet: Rule = (f) => {
  const said = (name: string | undefined) =>
    `EfficientNet${name === undefined ? '' : name.startsWith('V') ? name : `-${name}`}`;
  if (
    f.has('features.#.#.weight', 'features.#.#.block.#.fc1.weight', 'features.#.#.block.#.#.weight') &&
    f.shape('classifier.1.weight')?.length === 2
  ) {
    const blocks = f.count('features.#.#.block.#.#.weight', 2);
    const width = f.shape('classifier.1.weight')?.[1];
    const fused = !f.shape('features.1.0.block.1.fc1.weight');
    const name = fused ? EFFICIENTNETS_V2[blocks] : EFFICIENTNETS[`${blocks} ${width}`];
    return {
      name: said(fused && !name ? 'V2' : name),
      evidence: sentence(
        'features.N.M.block with squeeze and excitation as in torchvision',
        `${blocks} blocks`,
        `a head of width ${width}`,
      ),
    };
  }
  if (f.has('_conv_stem.weight', '_blocks.#._depthwise_conv.weight', '_conv_head.weight')) {
    const blocks = f.count('_blocks.#._depthwise_conv.weight');
    const width = f.shape('_conv_head.weight')?.[0];
    return {
      name: said(EFFICIENTNETS[`${blocks} ${width}`]),
      evidence: sentence(
        '_conv_stem, _blocks.N._depthwise_conv and _conv_head as in efficientnet_pytorch',
        `${blocks} blocks`,
        `a head of width ${width}`,
        ...headOf(f, '_fc.weight'),
      ),
    };
  }
  if (f.has('conv_stem.weight', 'blocks.#.#.conv_dw.weight', 'conv_head.weight')) {
    const head = headOf(f, 'classifier.weight');
    // Its first block tells EfficientNet, which squeezes there and has a norm after the head, from its relatives.
    if (f.shape('blocks.0.0.se.conv_reduce.weight') && f.has('bn2.weight')) {
      const blocks = f.count('blocks.#.#.conv_dw.weight', 2);
      const width = f.shape('conv_head.weight')?.[0];
      const plain = EFFICIENTNETS[`${blocks} ${width}`];
      if (plain && !f.find(/^blocks\.#\.#\.(attn|aa|conv_exp_s2d|conv_s2d|cc)/) && lastBlock(f) === (width ?? 0) / 4)
        return {
          name: said(plain),
          evidence: sentence(
            'conv_stem and blocks.N.M.conv_dw with se as in timm',
            `${blocks} blocks`,
            `a head of width ${width}`,
            ...head,
          ),
        };
    }
    const mobile = timmMobileNet(f);
    return mobile === undefined
      ? undefined
      : { name: mobile, evidence: sentence('conv_stem, blocks.N.M.conv_dw and conv_head as in timm', ...head) };
  }
  return undefined;
};

/** Channels of the last block, which scale with the model's width: a quarter of the head's. */
function lastBlock(f: Fingerprint): number | undefined {
  return f.shape('blocks.6.0.conv_pwl.weight')?.[0];
}

/** MobileNets of timm at width 1, by blocks and head: many searched networks share their names. Source: timm `mobilenetv3.py`. */
function timmMobileNet(f: Fingerprint): string | undefined {
  const blocks = f.count('blocks.#.#.conv_dw.weight', 2);
  const head = f.shape('conv_head.weight')?.slice(0, 2).join(' ');
  const squeezed = f.has('blocks.#.#.se.conv_reduce.weight');
  if (!squeezed && f.has('bn2.weight') && blocks === 17 && head === '1280 320') return 'MobileNetV2';
  const stages = [0, 1, 2, 3, 4, 5].map((stage) => {
    let count = 0;
    while (f.shape(`blocks.${stage}.${count}.conv_dw.weight`)) count++;
    return count;
  });
  if (!squeezed || f.has('bn2.weight')) return undefined;
  if (head === '1280 960' && stages.join() === '1,2,3,4,2,3') return 'MobileNetV3 Large';
  if (head === '1024 576' && stages.join() === '1,2,3,2,3,0') return 'MobileNetV3 Small';
  return undefined;
}

/** Width of the first stage and depth of the third → ConvNeXt. Source: Liu et al. 2022. */
const CONVNEXTS: Record<string, string> = {
  '96 9': '-T',
  '96 27': '-S',
  '128 27': '-B',
  '192 27': '-L',
  '256 27': '-XL',
};

const convnext: Rule = (f) => {
  if (f.has('features.#.#.layer_scale', 'features.#.#.block.#.weight')) {
    const width = f.shape('features.0.0.weight')?.[0];
    let depth = 0;
    while (f.shape(`features.5.${depth}.layer_scale`)) depth++;
    return {
      name: `ConvNeXt${CONVNEXTS[`${width} ${depth}`] ?? ''}`,
      evidence: sentence(
        'features.N.M.layer_scale as in torchvision',
        `width ${width}`,
        `${depth} blocks in the third stage`,
        ...headOf(f, 'classifier.2.weight'),
      ),
    };
  }
  const timm =
    f.has('stages.#.blocks.#.conv_dw.weight', 'stages.#.blocks.#.norm.weight', 'stages.#.blocks.#.mlp.fc1.weight') &&
    !f.find(/^stages\.#\.blocks\.#\.(?!conv_dw\.|norm\.|mlp\.(fc1|fc2|grn)\.|gamma$|shortcut\.)/);
  const meta = f.has('downsample_layers.#.#.weight', 'stages.#.#.dwconv.weight', 'stages.#.#.pwconv1.weight');
  if (!timm && !meta) return undefined;
  const second = f.any('stages.#.blocks.#.mlp.grn.weight', 'stages.#.#.grn.gamma');
  const width = f.shape(timm ? 'stages.#.blocks.#.conv_dw.weight' : 'stages.#.#.dwconv.weight')?.[0];
  let depth = 0;
  while (f.shape(timm ? `stages.2.blocks.${depth}.conv_dw.weight` : `stages.2.${depth}.dwconv.weight`)) depth++;
  const size = second ? '' : (CONVNEXTS[`${width} ${depth}`] ?? '');
  return {
    name: `ConvNeXt${second ? ' V2' : size}`,
    evidence: sentence(
      timm
        ? 'stages.N.blocks.M.conv_dw as in timm'
        : 'downsample_layers and stages.N.M.dwconv as in the original release',
      `width ${width}`,
      `${depth} blocks in the third stage`,
      ...headOf(f, 'head.fc.weight', 'head.weight'),
    ),
  };
};

const others: Rule = (f) => {
  if (f.has('features.#.squeeze.weight', 'features.#.expand1x1.weight', 'features.#.expand3x3.weight')) {
    const kernel = f.shape('features.0.weight')?.[2];
    return {
      name: `SqueezeNet${kernel === 7 ? ' 1.0' : kernel === 3 ? ' 1.1' : ''}`,
      evidence: sentence(
        'features.N.squeeze, expand1x1 and expand3x3 as in torchvision',
        ...headOf(f, 'classifier.1.weight'),
      ),
    };
  }
  if (f.has('Conv2d_1a_3x3.conv.weight', 'Mixed_5b.branch1x1.conv.weight'))
    return {
      name: 'Inception v3',
      evidence: sentence('Conv2d_1a_3x3 and Mixed_N as in torchvision', ...headOf(f, 'fc.weight')),
    };
  if (f.has('inception3a.branch1.conv.weight', 'inception5b.branch1.conv.weight'))
    return {
      name: 'GoogLeNet',
      evidence: sentence('inception3a to inception5b as in torchvision', ...headOf(f, 'fc.weight')),
    };
  if (f.has('stage2.#.branch1.#.weight', 'stage2.#.branch2.#.weight', 'conv5.#.weight'))
    return {
      name: 'ShuffleNetV2',
      evidence: sentence('stage2 to stage4 with two branches and conv5 as in torchvision', ...headOf(f, 'fc.weight')),
    };
  if (
    f.has('layers.#.#.layers.#.weight', 'layers.#.weight') &&
    f.shape('layers.0.weight')?.length === 4 &&
    f.shape('classifier.1.weight')
  )
    return {
      name: 'MNASNet',
      evidence: sentence('layers.N.M.layers as in torchvision', ...headOf(f, 'classifier.1.weight')),
    };
  if (f.has('stem.#.weight', 'trunk_output.block1.block1-0.f.a.#.weight'))
    return {
      name: 'RegNet',
      evidence: sentence('stem and trunk_output.blockN as in torchvision', ...headOf(f, 'fc.weight')),
    };
  return undefined;
};

export const CONVOLUTIONAL: Rule[] = [vgg, alexnet, densenet, mobilenets, efficientnet, convnext, others];
