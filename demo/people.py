"""The invented companies and persons. Mail addresses are under the reserved domain ``.example``."""

from typing import NamedTuple


class City(NamedTuple):
    name: str
    zip: str
    state: str
    """External id of the state."""
    country: str
    phone: str


CITIES = {
    "leon": City("León", "37000", "base.state_mx_gto", "base.mx", "+52 477 555 01"),
    "celaya": City("Celaya", "38000", "base.state_mx_gto", "base.mx", "+52 461 555 01"),
    "irapuato": City("Irapuato", "36500", "base.state_mx_gto", "base.mx", "+52 462 555 01"),
    "queretaro": City("Querétaro", "76000", "base.state_mx_qro", "base.mx", "+52 442 555 01"),
    "aguascalientes": City("Aguascalientes", "20000", "base.state_mx_ags", "base.mx", "+52 449 555 01"),
    "slp": City("San Luis Potosí", "78000", "base.state_mx_slp", "base.mx", "+52 444 555 01"),
    "guadalajara": City("Guadalajara", "44100", "base.state_mx_jal", "base.mx", "+52 33 5555 01"),
    "morelia": City("Morelia", "58000", "base.state_mx_mich", "base.mx", "+52 443 555 01"),
    "monterrey": City("Monterrey", "64000", "base.state_mx_nl", "base.mx", "+52 81 5555 01"),
    "cdmx": City("Ciudad de México", "06000", "base.state_mx_df", "base.mx", "+52 55 5555 01"),
    "laredo": City("Laredo", "78040", "base.state_us_44", "base.us", "+1 956 555 01"),
    "sanantonio": City("San Antonio", "78205", "base.state_us_44", "base.us", "+1 210 555 01"),
    "elpaso": City("El Paso", "79901", "base.state_us_44", "base.us", "+1 915 555 01"),
    "sandiego": City("San Diego", "92101", "base.state_us_5", "base.us", "+1 619 555 01"),
    "phoenix": City("Phoenix", "85004", "base.state_us_3", "base.us", "+1 602 555 01"),
}

STREETS = (
    "Blvd. Adolfo López Mateos",
    "Av. Insurgentes",
    "Calle Hidalgo",
    "Calz. de los Héroes",
    "Av. Tecnológico",
    "Calle 5 de Mayo",
    "Blvd. Bernardo Quintana",
    "Av. Constituyentes",
)
US_STREETS = ("Commerce Street", "San Bernardo Avenue", "Broadway", "Mines Road")


class Customer(NamedTuple):
    name: str
    letters: str
    """First letters of the RFC; empty for customers abroad."""
    domain: str
    city: str
    lang: str = "es_MX"


# The first ones buy in pesos, the next ones from both companies, the last ones in dollars.
MEXICAN = (
    Customer("Ferretería La Herradura del Centro, S.A. de C.V.", "FLH", "ferreterialaherradura", "leon"),
    Customer("Materiales Peña Blanca, S.A. de C.V.", "MPB", "penablanca", "leon"),
    Customer("Abarrotes Don Refugio, S. de R.L. de C.V.", "ADR", "donrefugio", "celaya"),
    Customer("Grupo Constructor Xichú, S.A. de C.V.", "GCX", "xichu", "queretaro"),
    Customer("Refaccionaria El Pistón Dorado, S.A. de C.V.", "RPD", "pistondorado", "irapuato"),
    Customer("Muebles y Diseños Santa Clara, S.A. de C.V.", "MDS", "mueblesantaclara", "leon"),
    Customer("Calzado Tres Hermanas, S.A. de C.V.", "CTH", "treshermanas", "leon"),
    Customer("Curtidos Río Turbio, S.A. de C.V.", "CRT", "curtidosrioturbio", "leon"),
    Customer("Empacadora Fresas de Irapuato Valle Hondo, S.P.R. de R.L.", "EFI", "vallehondo", "irapuato"),
    Customer("Hotel Posada de las Bugambilias, S.A. de C.V.", "HPB", "posadabugambilias", "queretaro"),
    Customer("Ferretera y Tornillos Cerro Gordo, S.A. de C.V.", "FTC", "cerrogordo", "celaya"),
    Customer("Agroinsumos La Cañada, S.A. de C.V.", "ALC", "agrolacanada", "irapuato"),
    Customer("Transportes Halcón de la Sierra, S.A. de C.V.", "THS", "halconsierra", "slp"),
    Customer("Plásticos Moldeados Zaragoza, S.A. de C.V.", "PMZ", "plasticoszaragoza", "queretaro"),
    Customer("Pinturas y Solventes El Arcoíris, S.A. de C.V.", "PSA", "pinturaselarcoiris", "aguascalientes"),
    Customer("Instalaciones Eléctricas Volta, S.A. de C.V.", "IEV", "voltainstalaciones", "aguascalientes"),
    Customer("Panificadora La Espiga de Morelia, S.A. de C.V.", "PEM", "laespigademorelia", "morelia"),
    Customer("Textiles Hilo de Plata, S.A. de C.V.", "THP", "hilodeplata", "aguascalientes"),
    Customer("Aceros y Perfiles Cubilete, S.A. de C.V.", "APC", "acerocubilete", "leon"),
    Customer("Maderas Finas Tarímbaro, S.A. de C.V.", "MFT", "maderastarimbaro", "morelia"),
    Customer("Servicios Hidráulicos del Lerma, S.A. de C.V.", "SHL", "hidraulicoslerma", "celaya"),
    Customer("Vidrios y Aluminios Cristal Azul, S.A. de C.V.", "VAC", "cristalazul", "queretaro"),
    Customer("Comercializadora Nopal Verde, S.A. de C.V.", "CNV", "nopalverde", "slp"),
    Customer("Lácteos Establo San Isidro, S.P.R. de R.L.", "LES", "establosanisidro", "celaya"),
    Customer("Papelería y Oficinas Tinta Fresca, S.A. de C.V.", "PTF", "tintafresca", "guadalajara"),
    Customer("Clínica Dental Sonrisa Media, S.C.", "CDS", "sonrisamedia", "guadalajara"),
    Customer("Constructora Puerta del Sur, S.A. de C.V.", "CPS", "puertadelsur", "guadalajara"),
    Customer("Autopartes Rueda Libre, S.A. de C.V.", "ARL", "ruedalibre", "monterrey"),
    Customer("Talleres Industriales Yunque, S.A. de C.V.", "TIY", "talleresyunque", "monterrey"),
    Customer("Climas y Refrigeración Boreal, S.A. de C.V.", "CRB", "climasboreal", "monterrey"),
    Customer("Imprenta Tipos Móviles, S.A. de C.V.", "ITM", "tiposmoviles", "cdmx"),
    Customer("Restaurantes El Comal de Barro, S.A. de C.V.", "RCB", "comaldebarro", "cdmx"),
    Customer("Laboratorios Herbolarios Flor de Azahar, S.A. de C.V.", "LHF", "flordeazahar", "cdmx"),
    Customer("Seguridad Privada Centinela Gris, S.A. de C.V.", "SCG", "centinelagris", "cdmx"),
    Customer("Granja Avícola Los Tres Gallos, S.P.R. de R.L.", "GAT", "lostresgallos", "irapuato"),
    Customer("Tiendas Mi Barrio Querido, S.A. de C.V.", "TMB", "mibarrioquerido", "slp"),
    Customer("Equipos de Bombeo Manantial, S.A. de C.V.", "EBM", "bombeomanantial", "slp"),
    Customer("Jarcería y Limpieza La Escoba Fiel, S.A. de C.V.", "JEF", "escobafiel", "morelia"),
    Customer("Cerámica y Pisos Dolores, S.A. de C.V.", "CPD", "pisosdolores", "leon"),
    Customer("Distribuidora Dulces de Antaño, S.A. de C.V.", "DDA", "dulcesdeantano", "celaya"),
    Customer("Proyectos Solares Mediodía, S.A. de C.V.", "PSM", "solaresmediodia", "queretaro"),
    Customer("Uniformes Punto y Costura, S.A. de C.V.", "UPC", "puntoycostura", "leon"),
    Customer("Cartón y Empaque Tepozán, S.A. de C.V.", "CET", "empaquetepozan", "queretaro"),
    Customer("Maquinados de Precisión Micra, S.A. de C.V.", "MPM", "maquinadosmicra", "queretaro", "en_US"),
    Customer("Importadora Puente Norte, S.A. de C.V.", "IPN", "puentenorte", "monterrey", "en_US"),
    Customer("Colegio Bilingüe Nueva Aurora, A.C.", "CBN", "nuevaaurora", "aguascalientes"),
)
SHARED = (
    Customer("Exportadora Agave del Bajío, S.A. de C.V.", "EAB", "agavedelbajio", "guadalajara"),
    Customer("Maquiladora Frontera Alta, S.A. de C.V.", "MFA", "fronteraalta", "monterrey"),
    Customer("Alimentos Congelados Tierra Fría, S.A. de C.V.", "ACT", "tierrafria", "irapuato"),
    Customer("Arneses y Conectores Nogal, S.A. de C.V.", "ACN", "conectoresnogal", "queretaro"),
)
AMERICAN = (
    Customer("Rio Bravo Hardware Supply LLC", "", "riobravohardware", "laredo", "en_US"),
    Customer("Lone Mesquite Foods Inc.", "", "lonemesquite", "sanantonio", "en_US"),
    Customer("Desert Bloom Imports LLC", "", "desertbloom", "phoenix", "en_US"),
    Customer("Pacific Gate Furniture Co.", "", "pacificgate", "sandiego", "en_US"),
    Customer("Franklin Mountain Tools Inc.", "", "franklinmountain", "elpaso", "en_US"),
    Customer("Casa Luna Home Goods LLC", "", "casaluna", "sanantonio", "en_US"),
    Customer("Border Star Packaging Inc.", "", "borderstar", "laredo", "en_US"),
    Customer("Copper Canyon Leather Co.", "", "coppercanyon", "elpaso", "en_US"),
    Customer("Old Mission Grocers LLC", "", "oldmission", "sandiego", "es_MX"),
    Customer("Saguaro Building Materials Inc.", "", "saguaro", "phoenix", "en_US"),
)
CUSTOMERS = MEXICAN + SHARED + AMERICAN

FIRST_NAMES = (
    "Alejandra", "Bernardo", "Carolina", "Darío", "Elisa", "Fermín", "Graciela", "Horacio", "Irene", "Julián",
    "Karla", "Leonardo", "Maricela", "Noé", "Olga", "Pascual", "Rosalba", "Saúl", "Teresa", "Ulises",
)  # fmt: skip
LAST_NAMES = (
    "Arriaga", "Becerra", "Cisneros", "Dávalos", "Escobedo", "Frausto", "Galván", "Hinojosa", "Ibarra", "Jasso",
    "Lozano", "Mireles", "Negrete", "Ornelas", "Palacios", "Rangel", "Segura", "Torres", "Urbina", "Zúñiga",
)  # fmt: skip

GOODS = (
    "Tornillería surtida, caja",
    "Pintura vinílica blanca 19 L",
    "Cable THW calibre 12, rollo 100 m",
    "Tubo PVC hidráulico 2 pulgadas",
    "Cemento gris, saco 50 kg",
    "Guantes de carnaza, docena",
    "Válvula de esfera 1 pulgada",
    "Lámina galvanizada calibre 26",
    "Disco de corte 4 1/2, paquete",
    "Flete y maniobras",
)
US_GOODS = (
    "Galvanized fittings, case",
    "Hand tools assortment, pallet",
    "Terracotta tile, pallet",
    "Leather gloves, gross",
    "Freight and handling",
)


class User(NamedTuple):
    login: str
    name: str
    groups: tuple
    """Names of the add-on's groups."""


COLLECTORS = (
    User("lucia", "Lucía Fuentes Arellano", ("collector", "sender")),
    User("hector", "Héctor Olvera Ríos", ("collector",)),
    User("ximena", "Ximena Tapia Cordero", ("collector", "sender")),
)
MANAGER = User("rebeca", "Rebeca Salgado Pineda", ("manager", "sender"))
