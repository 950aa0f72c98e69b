// How Teams' light theme dresses Adaptive Cards, for Microsoft's renderer.

const pair = (colour, subtle) => ({ default: colour, subtle });
const colours = {
  default: pair("#242424", "#616161"),
  dark: pair("#242424", "#616161"),
  light: pair("#ffffff", "#f0f0f0"),
  accent: pair("#5b5fc7", "#5b5fc7"),
  attention: pair("#b10e1c", "#b10e1c"),
  good: pair("#0e700e", "#0e700e"),
  warning: pair("#835c00", "#835c00"),
};
const container = (backgroundColor) => ({ backgroundColor, foregroundColors: colours });
const sizes = { small: 12, default: 14, medium: 16, large: 18, extraLarge: 24 };
const weights = { lighter: 300, default: 400, bolder: 600 };
const font = '"Segoe UI", "Segoe UI Variable", Selawik, "Noto Sans", "Open Sans", "Liberation Sans", sans-serif';

export const HOST_CONFIG = {
  supportsInteractivity: true,
  fontTypes: {
    default: { fontFamily: font, fontSizes: sizes, fontWeights: weights },
    monospace: {
      fontFamily: "ui-monospace, Consolas, 'Liberation Mono', monospace",
      fontSizes: sizes,
      fontWeights: weights,
    },
  },
  spacing: { small: 4, default: 10, medium: 14, large: 20, extraLarge: 28, padding: 14 },
  separator: { lineThickness: 1, lineColor: "#e0e0e0" },
  imageSizes: { small: 32, medium: 52, large: 100 },
  containerStyles: {
    default: container("#ffffff"),
    emphasis: container("#f3f3f5"),
    accent: container("#ebebf9"),
    good: container("#e7f2e7"),
    attention: container("#fbe9ea"),
    warning: container("#fdf4dc"),
  },
  actions: {
    maxActions: 6,
    spacing: "default",
    buttonSpacing: 8,
    actionsOrientation: "horizontal",
    actionAlignment: "left",
    showCard: { actionMode: "inline", inlineTopMargin: 12, style: "emphasis" },
  },
  inputs: {
    label: {
      inputSpacing: "small",
      requiredInputs: { suffix: " *", suffixColor: "attention", weight: "bolder" },
      optionalInputs: { weight: "bolder" },
    },
    errorMessage: { color: "attention", size: "small", spacing: "small" },
  },
  factSet: { title: { weight: "bolder", maxWidth: 170 }, value: { wrap: true }, spacing: 12 },
  textBlock: { headingLevel: 3 },
};
